//! Externs: `.kconfig` and `.ksyms`, and whether the object loads without them.
//!
//! BTF says which section a name was declared in; only the symbol table says that it is weak.

use std::collections::BTreeMap;

use bpf_image_spec::config::{ExternKind, ExternSpec};

use super::btf::{Btf, Kind};
use super::elf::Elf;
use super::error::{ObjectError, Problem};

/// Reads every extern, in the order of names. `called`: what programs call and nobody defines.
pub(super) fn externs<'a>(
    elf: &Elf<'_>,
    btf: Option<&Btf<'_>>,
    called: impl Iterator<Item = &'a String>,
) -> Result<Vec<ExternSpec>, ObjectError> {
    let undefined = elf.symbols.iter().filter(|symbol| symbol.undefined && !symbol.name.is_empty());
    let weak: BTreeMap<_, _> = undefined.map(|symbol| (symbol.name, symbol.weak)).collect();
    let mut externs = BTreeMap::new();
    let spec = |name: &str, kind, type_name| {
        let weak = weak.get(name).copied().unwrap_or_default();
        ExternSpec { name: name.to_owned(), kind, weak, type_name }
    };
    if let Some(btf) = btf {
        for (_, of) in btf.iter() {
            let of = of?;
            if of.kind != Kind::DataSection {
                continue;
            }
            let kind = match btf.string(of.name)? {
                ".kconfig" => ExternKind::Kconfig,
                ".ksyms" => ExternKind::Variable,
                _ => continue,
            };
            for variable in of.variables() {
                let id = variable?.id;
                let declared = btf.get(id)?;
                let name = btf.string(declared.name)?;
                // A name that the symbol table lacks is used by nobody.
                if !weak.contains_key(name) {
                    continue;
                }
                let found = match declared.kind {
                    Kind::Function(_) => spec(name, ExternKind::Function, None),
                    Kind::Variable { target, .. } => {
                        let type_name = match btf.bare(target)?.of.kind {
                            Kind::Void => None,
                            _ => Some(btf.spell(target)?),
                        };
                        spec(name, kind, type_name)
                    }
                    _ => return Err(btf.error(id, Problem::UnexpectedType(id))),
                };
                externs.insert(name.to_owned(), found);
            }
        }
    }
    for name in called {
        let function = || spec(name, ExternKind::Function, None);
        externs.entry(name.clone()).or_insert_with(function);
    }
    Ok(externs.into_values().collect())
}
