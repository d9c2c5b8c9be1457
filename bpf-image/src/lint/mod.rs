//! Findings about an object: what will stop it, what will surprise, and the way out; pure, without
//! any I/O.
//!
//! One file a subject: [`file`] looks at sections, [`license`] at what the licence allows,
//! [`names`] at what a kernel makes of names, [`map`] at maps, [`architecture`] at what ties an
//! object to one CPU.

mod architecture;
mod file;
mod finding;
mod license;
mod map;
mod names;

pub use self::finding::{Code, Finding, Severity};

use crate::object::{Object, ObjectError};

/// What is known of an object beside its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Platforms that the object is said to be for (`linux/amd64`); none: nobody said.
    pub platforms: Vec<String>,
}

/// Every finding, the gravest first.
pub fn lint(object: &Object, context: &Context) -> Result<Vec<Finding>, ObjectError> {
    let mut all = Vec::new();
    file::findings(object, &mut all)?;
    license::findings(object.spec(), &mut all);
    names::findings(object.spec(), &mut all);
    map::findings(object.spec(), &mut all);
    architecture::findings(object, context, &mut all)?;
    all.sort();
    Ok(all)
}
