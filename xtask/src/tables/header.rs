//! Names out of `linux/bpf.h`, in the order of their numbers.

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `__BPF_FUNC_MAPPER`.
    Helper,
    /// `enum bpf_map_type`.
    Map,
    /// `enum bpf_prog_type`.
    Program,
    /// `enum bpf_attach_type`.
    Attach,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 4] = [Self::Helper, Self::Map, Self::Program, Self::Attach];

    /// Its name in `documented.tsv`.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Helper => "helper",
            Self::Map => "map",
            Self::Program => "program",
            Self::Attach => "attach",
        }
    }
}

/// The names of a header, from number 0 on; `None` where it is not written as expected.
pub(crate) fn names(kind: Kind, header: &str) -> Option<Vec<String>> {
    match kind {
        Kind::Helper => helpers(header),
        Kind::Map => enumeration(header, "bpf_map_type", "BPF_MAP_TYPE_"),
        Kind::Program => enumeration(header, "bpf_prog_type", "BPF_PROG_TYPE_"),
        Kind::Attach => enumeration(header, "bpf_attach_type", "BPF_"),
    }
}

/// `FN(name),` or, from Linux 6.2 on, `FN(name, number, …)`.
fn helpers(header: &str) -> Option<Vec<String>> {
    let start = header.find("BPF_FUNC_MAPPER(FN")?;
    let mut names = Vec::new();
    for line in header.get(start..)?.lines().skip(1) {
        let line = line.trim();
        let Some(arguments) = line.strip_prefix("FN(") else {
            // The last of the macro's lines has no backslash before it.
            if line.starts_with("/*") && !names.is_empty() {
                break;
            }
            continue;
        };
        let mut arguments = arguments.split([',', ')']).map(str::trim);
        let name = arguments.next()?;
        if let Some(Ok(number)) = arguments.next().map(str::parse::<usize>) {
            // Numbers that are written out have to be in order for the rest of us.
            if number != names.len() {
                return None;
            }
        }
        names.push(name.to_owned());
    }
    (names.first()? == "unspec").then_some(names)
}

fn enumeration(header: &str, name: &str, prefix: &str) -> Option<Vec<String>> {
    let start = format!("enum {name} {{");
    let body = header.get(header.find(&start)? + start.len()..)?;
    let body = without_comments(body.get(..body.find('}')?)?);
    let entries = body.split(',').map(str::trim);
    // An alias has a number that another name has already.
    let own = entries.filter(|entry| !entry.is_empty() && !entry.contains('='));
    own.filter(|entry| !entry.starts_with("__MAX"))
        .map(|entry| {
            let name = entry.strip_prefix(prefix)?;
            // Some are called deprecated from one header to the next.
            Some(name.strip_suffix("_DEPRECATED").unwrap_or(name).to_lowercase())
        })
        .collect()
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_helpers() {
        let old = "#define __BPF_FUNC_MAPPER(FN)\t\\\n\tFN(unspec),\t\\\n\tFN(a),\t\\\n\t/* */\n";
        assert_eq!(names(Kind::Helper, old).unwrap(), ["unspec", "a"]);
        let new = "#define ___BPF_FUNC_MAPPER(FN, ctx...)\t\\\n\tFN(unspec, 0, ##ctx)\t\\\n\
                   \tFN(a, 1, ##ctx)\t\\\n\t/* */\n#define __BPF_FUNC_MAPPER(FN) x\n";
        assert_eq!(names(Kind::Helper, new).unwrap(), ["unspec", "a"]);
        assert_eq!(names(Kind::Helper, &new.replace('1', "7")), None, "a gap");
        assert_eq!(names(Kind::Helper, ""), None);
    }

    #[test]
    fn aliases_and_comments_are_no_entries() {
        let text = "enum bpf_map_type {\n\tBPF_MAP_TYPE_UNSPEC, /* a, b */\n\
                    \tBPF_MAP_TYPE_X_DEPRECATED,\n\tBPF_MAP_TYPE_X = BPF_MAP_TYPE_X_DEPRECATED,\n\
                    \t__MAX_BPF_MAP_TYPE\n};";
        assert_eq!(names(Kind::Map, text).unwrap(), ["unspec", "x"]);
    }
}
