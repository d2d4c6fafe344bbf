//! The allocator, and how it is made to give back what the program is done with.

use std::hint::black_box;
use std::time::Duration;

/// Messages are made on one thread and freed on another all the time; the system's allocator takes a lock for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How often memory is given back while nothing else happens.
const INTERVAL: Duration = Duration::from_secs(5);

/// Larger than anything that the allocator keeps for the next caller, in bytes.
const LARGE: usize = 4 << 20;

/// Never ends.
///
/// mimalloc gives freed pages back to the system a second later, but looks at its clock only when another page is freed
/// (`_mi_arenas_collect` in its `page.c`). When the program is idle none is freed, and a fifth of the memory would stay
/// allocated. So a large piece, of which no byte is touched, is allocated and freed now and then.
pub(crate) async fn give_back() {
    loop {
        tokio::time::sleep(INTERVAL).await;
        drop(black_box(Vec::<u8>::with_capacity(LARGE)));
    }
}
