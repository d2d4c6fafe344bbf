//! The words of enums, as the API and the store have them.

/// Gives an enum its list and its words: it derives `EnumString`, `VariantArray` and `IntoStaticStr` of
/// `strum`, the last one with `const_into_str`.
#[macro_export]
macro_rules! enum_words {
    ($kind:ty) => {
        impl $kind {
            /// Every one.
            pub const ALL: [Self; <Self as strum::VariantArray>::VARIANTS.len()] = {
                let listed = <Self as strum::VariantArray>::VARIANTS;
                let mut all = [listed[0]; <Self as strum::VariantArray>::VARIANTS.len()];
                let mut place = 1;
                while place < all.len() {
                    all[place] = listed[place];
                    place += 1;
                }
                all
            };

            /// The word in the API and in the store.
            pub const fn as_str(self) -> &'static str {
                self.into_str()
            }

            /// Reads the word.
            pub fn from_word(word: &str) -> Option<Self> {
                word.parse().ok()
            }
        }
    };
}
