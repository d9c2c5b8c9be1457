//! Map types: the first kernel that has each.

use bpf_image_spec::config::{KernelVersion, MapType};

use super::generated::MAP_TYPES;
use super::younger_than_all;

/// First kernel that creates maps of that type; `None` for type 0, which none does.
pub(in crate::object) fn since(map_type: MapType) -> Option<KernelVersion> {
    let at = usize::try_from(map_type.number()).ok()?.checked_sub(1)?;
    let known = MAP_TYPES.get(at).map(|(_, major, minor)| KernelVersion::new(*major, *minor));
    Some(known.unwrap_or_else(younger_than_all))
}

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
        assert_eq!(since(MapType::Unknown(9999)), Some(younger_than_all()));
    }

    #[test]
    fn numbers_are_those_of_the_header() {
        // `io.ebpf.maps` spells a few in its own way.
        let bare = |name: &str| name.replace('_', "").replace("percpu", "pc");
        assert_eq!(MAP_TYPES.len() + 1, MapType::ALL.len());
        for (map_type, (name, ..)) in MapType::ALL.iter().skip(1).zip(MAP_TYPES) {
            assert_eq!(bare(&map_type.label()), bare(name));
        }
    }
}
