//! A value that many parts of the program own together.

use std::ops::Deref;
use std::sync::{Arc, Weak};

/// An [`Arc`] that hides the fields of its value from the compiler's proof that it may go to another thread. That proof is made
/// once, in [`Handle::new`]. For an `Arc` the compiler makes it again for each future that holds one.
pub struct Handle<T>(Arc<dyn Held<T>>);

/// A [`Handle`] that does not keep its value alive.
pub struct WeakHandle<T>(Weak<dyn Held<T>>);

trait Held<T>: Send + Sync {
    fn value(&self) -> &T;
}

impl<T: Send + Sync> Held<T> for T {
    fn value(&self) -> &T {
        self
    }
}

impl<T: Send + Sync + 'static> Handle<T> {
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T> Handle<T> {
    pub fn downgrade(&self) -> WeakHandle<T> {
        WeakHandle(Arc::downgrade(&self.0))
    }
}

impl<T> WeakHandle<T> {
    /// The value, unless all its handles are gone.
    pub fn upgrade(&self) -> Option<Handle<T>> {
        self.0.upgrade().map(Handle)
    }
}

impl<T> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Handle<T> {
    type Target = T;

    fn deref(&self) -> &T {
        (*self.0).value()
    }
}
