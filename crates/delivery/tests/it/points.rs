//! Points where a test stops the program: a task or a thread waits there until it is released.

use std::pin::pin;
use std::task::{Context, Waker};

use failpoint::{hold, reach, testing};

#[test]
fn a_task_waits_at_a_point_until_it_is_released() {
    let mut context = Context::from_waker(Waker::noop());
    testing::arm("a.point", 1);
    assert!(pin!(reach("a.point")).poll(&mut context).is_ready(), "one may pass");
    let mut waiting = pin!(reach("a.point"));
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert_eq!(testing::stopped().get("a.point"), Some(&1));
    testing::release("a.point");
    testing::arm("a.point", 0);
    assert!(waiting.as_mut().poll(&mut context).is_ready());
    testing::release("a.point");
    // Another test may wait at a point of its own.
    assert!(!testing::stopped().contains_key("a.point"));
}

#[test]
fn a_thread_waits_at_a_point_until_it_is_released() {
    hold("a.thread");
    testing::arm("a.thread", 0);
    let waiting = std::thread::spawn(|| hold("a.thread"));
    while !testing::stopped().contains_key("a.thread") {
        std::thread::yield_now();
    }
    assert!(!waiting.is_finished());
    testing::release("a.thread");
    waiting.join().expect("it goes on");
}
