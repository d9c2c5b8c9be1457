//! Map types: the first kernel that has each (uapi/linux/bpf.h over time).

use bpf_image_spec::config::{KernelVersion, MapType};

/// First kernel that creates maps of that type.
pub(in crate::object) fn since(map_type: MapType) -> Option<KernelVersion> {
    let (_, major, minor) = *SINCE.iter().rev().find(|(first, ..)| *first <= map_type.number())?;
    Some(KernelVersion::new(major, minor))
}

/// First map type of each release that brought any; numbers only grow.
const SINCE: &[(u32, u16, u16)] = &[
    (1, 3, 19),
    (3, 4, 2),
    (4, 4, 3),
    (5, 4, 6),
    (8, 4, 8),
    (9, 4, 10),
    (11, 4, 11),
    (12, 4, 12),
    (14, 4, 14),
    (16, 4, 15),
    (17, 4, 18),
    (19, 4, 19),
    (21, 4, 20),
    (24, 5, 2),
    (25, 5, 4),
    (26, 5, 6),
    (27, 5, 8),
    (28, 5, 10),
    (29, 5, 11),
    (30, 5, 16),
    (31, 6, 1),
    (32, 6, 2),
    (33, 6, 9),
    (34, 6, 19),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_map_type_but_the_unspecified_has_a_kernel() {
        for map_type in MapType::ALL {
            assert_eq!(since(*map_type).is_none(), *map_type == MapType::Unspecified);
        }
        assert_eq!(since(MapType::BloomFilter), Some(KernelVersion::new(5, 16)));
        assert_eq!(since(MapType::PerCpuArray), Some(KernelVersion::new(4, 6)));
        assert_eq!(since(MapType::SockHash), Some(KernelVersion::new(4, 18)));
    }
}
