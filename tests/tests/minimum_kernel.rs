//! The minimum kernel that inspection states is neither unsafe nor lazy: objects that each ask one
//! thing of a kernel load on the test kernels at or above it, and on none below.

use bpf_image_tests::setup::program;
use bpf_image_tests::skip;
use bpf_image_tests::vm::{Series, minimum};

#[test]
fn kernels_load_from_the_stated_minimum_on_and_not_before() {
    if skip::without_root() {
        return;
    }
    if program("clang").is_none() {
        return skip::because("not installed: clang");
    }
    let matrix = match minimum::run(&Series::ALL, true) {
        Err(lack) if lack.is_lack() => return skip::because(lack),
        other => other.unwrap(),
    };
    // One kernel a series: two columns of one name would hide that a series is gone.
    assert_eq!(matrix.columns.len(), Series::ALL.len() + 1);
    assert!(matrix.rows.len() >= 150, "only {} objects", matrix.rows.len());
    let complaints = matrix.complaints();
    assert!(complaints.is_empty(), "{}\n{}", matrix.table(), complaints.join("\n"));
}
