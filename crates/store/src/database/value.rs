//! What is bound to a statement and found in a column.

use std::sync::Arc;

/// A value of the database. Both engines know these four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// A value that outlives its row.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum OwnedValue {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl From<Value<'_>> for OwnedValue {
    fn from(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(number) => Self::Integer(number),
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Blob(bytes) => Self::Blob(bytes.to_owned()),
        }
    }
}

impl ToValue for OwnedValue {
    fn to_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(number) => Value::Integer(*number),
            Self::Text(text) => Value::Text(text),
            Self::Blob(bytes) => Value::Blob(bytes),
        }
    }
}

/// What can be bound to a parameter.
pub(crate) trait ToValue {
    fn to_value(&self) -> Value<'_>;
}

/// The parameters of a statement, in their order.
pub(crate) trait Parameters {
    fn each<'a>(&'a self, bind: &mut dyn FnMut(Value<'a>));
}

/// Parameters of several types.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::database::ToValue),*] as &[&dyn $crate::database::ToValue]
    };
}
pub(crate) use params;

impl Parameters for () {
    fn each<'a>(&'a self, _: &mut dyn FnMut(Value<'a>)) {}
}

impl Parameters for &[&dyn ToValue] {
    fn each<'a>(&'a self, bind: &mut dyn FnMut(Value<'a>)) {
        for value in *self {
            bind(value.to_value());
        }
    }
}

impl Parameters for &[OwnedValue] {
    fn each<'a>(&'a self, bind: &mut dyn FnMut(Value<'a>)) {
        for value in *self {
            bind(value.to_value());
        }
    }
}

impl<T: ToValue, const N: usize> Parameters for [T; N] {
    fn each<'a>(&'a self, bind: &mut dyn FnMut(Value<'a>)) {
        for value in self {
            bind(value.to_value());
        }
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:tt),+))+) => {$(
        impl<$($name: ToValue),+> Parameters for ($($name,)+) {
            fn each<'a>(&'a self, bind: &mut dyn FnMut(Value<'a>)) {
                $(bind(self.$index.to_value());)+
            }
        }
    )+};
}
tuples! {
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

macro_rules! integers {
    ($($type:ty)+) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Value<'_> {
                Value::Integer(i64::from(*self))
            }
        }
    )+};
}
integers! { i64 i32 u32 u16 u8 bool }

macro_rules! borrowed {
    ($($kind:ident of $type:ty)+) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Value<'_> {
                Value::$kind(self)
            }
        }
    )+};
}
borrowed! { Text of str Text of String Text of Arc<str> Blob of [u8] Blob of Vec<u8> }

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}
