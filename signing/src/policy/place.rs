//! Places and the scopes that cover them: `registry[/path]`, or `oci:/absolute/path` for layouts.
//!
//! Both are lists of segments, and a scope covers a place when its segments are the first of the
//! place's. Nothing compares text, so `org` cannot cover `org-evil`; and a scope has one spelling,
//! so that no second one (case, `..`, look-alike letters) can slip beside it.

use std::fmt;
use std::path::{Component, Path};

use bpf_image_spec::RegistryReference;

use crate::claims::canonical;

/// The place that an image was asked for at, before any mirror or redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    place: Place,
    repository: Option<String>,
}

/// A registry path or a layout path, by segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The registry's host, then the repository's components.
    Registry(Vec<String>),
    /// The components of an absolute path.
    Layout(Vec<String>),
}

/// A text that is no scope, or a path that no scope can cover.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Not `registry[/path]` by the grammar of references.
    #[error("{0:?} is neither `registry[/path]` nor `oci:/absolute/path`")]
    Grammar(String),
    /// A wildcard, which other policy formats have.
    #[error("{0:?} has a wildcard; a scope covers everything below it without one")]
    Wildcard(String),
    /// Another spelling of a place that has one.
    #[error("{text:?} is not spelled `{canonical}`")]
    Spelling {
        /// What was written.
        text: String,
        /// The one spelling.
        canonical: String,
    },
    /// A layout path that does not start at the root.
    #[error("layout path {0:?} is not absolute")]
    Relative(String),
    /// `..` in a layout path: what it names depends on links.
    #[error("layout path {0:?} has a `..`")]
    Parent(String),
    /// A layout path that a policy file cannot spell.
    #[error("layout path {0:?} is not printable text")]
    Unprintable(String),
}

impl PlaceError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Grammar(_) => {
                Some("write it as in a reference, without tag: `registry.example/org`")
            }
            Self::Relative(_) => Some("write the whole path: `oci:/srv/images`"),
            Self::Parent(_) => Some("write the path without links and `..`"),
            _ => None,
        }
    }
}

impl Requested {
    /// A repository in a registry.
    pub fn registry(reference: &RegistryReference) -> Self {
        Self { place: Place::of_reference(reference), repository: Some(canonical(reference)) }
    }

    /// A layout at an absolute path, links already resolved. `origin` is the full reference that
    /// the layout's entry says it came from: signatures are judged against it.
    pub fn layout(dir: &Path, origin: Option<&RegistryReference>) -> Result<Self, PlaceError> {
        Ok(Self { place: Place::of_path(dir)?, repository: origin.map(canonical) })
    }

    /// The repository that signatures are judged against, if one is known.
    pub fn repository(&self) -> Option<&str> {
        self.repository.as_deref()
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }
}

impl fmt::Display for Requested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

impl Place {
    /// Reads a policy's `match`.
    pub(crate) fn parse(text: &str) -> Result<Self, PlaceError> {
        let place = match text.strip_prefix("oci:") {
            Some(path) => Self::of_path(Path::new(path))?,
            None if text.contains('*') => return Err(PlaceError::Wildcard(text.to_owned())),
            None => Self::parse_registry(text)?,
        };
        let canonical = place.to_string();
        if canonical == text {
            Ok(place)
        } else {
            Err(PlaceError::Spelling { text: text.to_owned(), canonical })
        }
    }

    /// By the grammar of references, so that a scope can cover only what a reference can name. A
    /// tag or digest is dropped here and then found by the comparison of spellings.
    fn parse_registry(text: &str) -> Result<Self, PlaceError> {
        let bad = |_| PlaceError::Grammar(text.to_owned());
        if text.contains('/') {
            let reference: RegistryReference = text.parse().map_err(bad)?;
            return Ok(Self::of_reference(&reference));
        }
        let reference: RegistryReference = format!("{text}/any").parse().map_err(bad)?;
        Ok(Self::Registry(vec![reference.registry().to_owned()]))
    }

    fn of_reference(reference: &RegistryReference) -> Self {
        let components = reference.repository().split('/');
        Self::Registry(
            std::iter::once(reference.registry()).chain(components).map(str::to_owned).collect(),
        )
    }

    fn of_path(path: &Path) -> Result<Self, PlaceError> {
        let shown = || path.to_string_lossy().into_owned();
        if !path.is_absolute() {
            return Err(PlaceError::Relative(shown()));
        }
        let mut segments = Vec::new();
        for component in path.components() {
            match component {
                Component::Normal(segment) => match segment.to_str() {
                    Some(text) if !text.contains(char::is_control) => {
                        segments.push(text.to_owned());
                    }
                    _ => return Err(PlaceError::Unprintable(shown())),
                },
                Component::ParentDir => return Err(PlaceError::Parent(shown())),
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        Ok(Self::Layout(segments))
    }

    pub(crate) fn is_layout(&self) -> bool {
        matches!(self, Self::Layout(_))
    }

    /// How many segments of `other` this covers, if it covers it.
    pub(crate) fn covers(&self, other: &Self) -> Option<usize> {
        let ((Self::Registry(mine), Self::Registry(theirs))
        | (Self::Layout(mine), Self::Layout(theirs))) = (self, other)
        else {
            return None;
        };
        theirs.starts_with(mine).then_some(mine.len())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(segments) => f.write_str(&segments.join("/")),
            Self::Layout(segments) => write!(f, "oci:/{}", segments.join("/")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::parse(text).unwrap()
    }

    #[test]
    fn a_scope_covers_whole_segments_only() {
        let scope = place("r.example/org");
        for covered in ["r.example/org", "r.example/org/a", "r.example/org/a/b"] {
            assert_eq!(scope.covers(&place(covered)), Some(2), "{covered}");
        }
        for other in ["r.example/org-evil", "r.example/organ/a", "r.example", "r.example:5000/org"]
        {
            assert_eq!(scope.covers(&place(other)), None, "{other}");
        }
        assert_eq!(place("r.example").covers(&place("r.example/a")), Some(1));
        assert_eq!(place("r.example").covers(&place("r.example.evil.example/a")), None);
        assert_eq!(place("oci:/srv").covers(&place("oci:/srv/images")), Some(1));
        assert_eq!(place("oci:/srv").covers(&place("oci:/srv-evil")), None);
        assert_eq!(place("oci:/").covers(&place("oci:/srv")), Some(0));
        assert_eq!(place("oci:/").covers(&place("r.example/a")), None);
    }

    #[test]
    fn case_unicode_dots_and_wildcards_are_refused() {
        for text in [
            "R.example/org",
            "r.example/Org",
            "r.ex\u{430}mple/org",
            "r.example/\u{43e}rg",
            "r.example/org/../evil",
            "r.example/org/",
            "r.example//org",
            "r.example/",
            "r.example/org:v1",
            "r.example/org/*",
            "*",
            "",
            "org",
            "oci:",
            "oci:relative",
            "oci:/a/../b",
            "oci:/a/./b",
            "oci:/a//b",
            "oci:/a/",
            "oci:/a\u{7}",
            "https://r.example/org",
        ] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_requested_path_has_one_spelling() {
        let spelled = |path: &str| Requested::layout(Path::new(path), None).map(|r| r.to_string());
        assert_eq!(spelled("/srv//images/./x/"), Ok("oci:/srv/images/x".to_owned()));
        assert!(spelled("/srv/../etc").is_err());
        assert!(spelled("images").is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_parses_prints_the_same(text in "(oci:/)?[a-z.:/*]{0,20}", any: String) {
            for text in [text, any] {
                if let Ok(place) = Place::parse(&text) {
                    proptest::prop_assert_eq!(place.to_string(), text);
                }
            }
        }
    }
}
