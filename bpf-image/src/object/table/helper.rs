//! Helper functions by number: name, and the first kernel that has it.
//!
//! Helpers were frozen with Linux 6.2; newer calls are kernel functions, found by name.

use bpf_image_spec::config::KernelVersion;

use super::generated::HELPERS;
use super::younger_than_all;

/// Name of a helper, with its prefix.
pub(in crate::object) fn name(number: u32) -> Option<&'static str> {
    let at = usize::try_from(number).ok()?.checked_sub(1)?;
    HELPERS.get(at).map(|(name, ..)| *name)
}

/// First kernel with the helper of that name. One without a name is younger than the tables.
pub(in crate::object) fn since(name: &str) -> KernelVersion {
    match HELPERS.iter().find(|(known, ..)| *known == name) {
        Some((_, major, minor)) => KernelVersion::new(*major, *minor),
        None => younger_than_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_kernels() {
        assert_eq!(name(1), Some("bpf_map_lookup_elem"));
        assert_eq!(name(12), Some("bpf_tail_call"));
        assert_eq!(name(181), Some("bpf_loop"));
        assert_eq!(name(211), Some("bpf_cgrp_storage_delete"));
        assert_eq!(name(0), None);
        assert_eq!(name(212), None);
        assert_eq!(name(u32::MAX), None);
    }

    #[test]
    fn bounds_are_those_measured_on_kernels() {
        // Exclusive bounds: 5.4: 111, 5.10: 156, 5.15: 176, 6.1: 210, 6.12: 212.
        for (bound, kernel) in [(111, (5, 4)), (156, (5, 10)), (176, (5, 15)), (210, (6, 1))] {
            let kernel = KernelVersion::new(kernel.0, kernel.1);
            let newer = |number| name(number).map(since).expect("known") > kernel;
            assert!(newer(bound) && !newer(bound - 1), "{bound}");
        }
        assert_eq!(since("bpf_ringbuf_reserve"), KernelVersion::new(5, 8));
    }

    #[test]
    fn later_numbers_have_later_kernels() {
        assert!(HELPERS.is_sorted_by_key(|(_, major, minor)| (*major, *minor)));
    }

    #[test]
    fn helper_of_the_future_needs_a_kernel_of_the_future() {
        assert!(since("helper_9999") > KernelVersion::new(7, 2));
    }
}
