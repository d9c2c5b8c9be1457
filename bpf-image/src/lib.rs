//! Read, build, store, sign and verify BPF images: everything but the kernel.
//!
//! One folder a noun: [`object`] reads ELF bytes, [`image`] knows the manifest forms,
//! [`layout`] and [`registry`] hold images, [`repository`] is either of them, [`pipeline`] turns a
//! reference into a checked object stage by stage, [`diff`] and [`lint`] judge objects, [`verbs`] are
//! the commands as functions.

#![forbid(unsafe_code)]

pub mod diff;
pub mod disasm;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod image;
pub mod layout;
pub mod lint;
pub mod object;
pub mod pipeline;
pub mod registry;
pub mod report;
pub mod repository;
pub mod text;
pub mod value;
pub mod verbs;
