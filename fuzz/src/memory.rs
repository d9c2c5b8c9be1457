//! An allocator that counts, and ends the process when too much is held.

#![expect(unsafe_code, reason = "an allocator is unsafe by its trait; ours only counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Most bytes that one reading may hold at once, the input included.
pub const HELD_MAX: usize = 64 * 1024 * 1024;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static BROKEN: AtomicBool = AtomicBool::new(false);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn take(size: usize) {
    let held = HELD.fetch_add(size, Ordering::Relaxed) + size;
    if held > PEAK.load(Ordering::Relaxed) {
        PEAK.store(held, Ordering::Relaxed);
        if held > HELD_MAX && !BROKEN.swap(true, Ordering::Relaxed) {
            eprintln!("held at once: {held} bytes, more than the {HELD_MAX} allowed");
            std::process::abort();
        }
    }
}

fn give_back(size: usize) {
    HELD.fetch_sub(size, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came; counting touches atomics only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: the caller's promise about `layout` is the one asked for here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        give_back(layout.size());
        // SAFETY: `block` came from `System`, as every block here.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may be there together for a moment.
        take(size);
        // SAFETY: as above.
        let moved = unsafe { System.realloc(block, layout, size) };
        give_back(if moved.is_null() { size } else { layout.size() });
        moved
    }
}

unsafe extern "C" {
    safe fn atexit(callback: extern "C" fn()) -> i32;
}

extern "C" fn print_peak() {
    eprintln!("held at most: {} bytes", PEAK.load(Ordering::Relaxed));
}

/// Prints the most that was held when libFuzzer ends the process. Each target calls it first.
pub fn report() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        atexit(print_peak);
    });
}
