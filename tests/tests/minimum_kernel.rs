//! The minimum kernel that inspection states is neither unsafe nor lazy: objects that each ask one
//! thing of a kernel load on the test kernels at or above it, and on none below.

use bpf_image_tests::setup::{Plan, program};
use bpf_image_tests::skip;
use bpf_image_tests::vm::{Series, minimum};

#[test]
fn kernels_load_from_the_stated_minimum_on_and_not_before() {
    if skip::without_root() {
        return;
    }
    if !Plan::for_virtual_machines().packages().is_empty() {
        let packages = Plan::for_virtual_machines();
        return skip::because(format_args!("not installed: {}", packages.packages().join(", ")));
    }
    if program("clang").is_none() {
        return skip::because("not installed: clang");
    }
    let matrix = minimum::run(&Series::ALL, true).unwrap();
    assert!(matrix.rows.len() >= 60, "only {} objects", matrix.rows.len());
    assert_eq!(matrix.columns.len(), Series::ALL.len() + 1);
    let complaints = matrix.complaints();
    assert!(complaints.is_empty(), "{}\n{}", matrix.table(), complaints.join("\n"));
}
