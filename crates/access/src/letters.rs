//! Random letters that people read and type.

/// Letters that are not mistaken for each other; 32 of them, so that a byte's lower bits choose evenly.
pub(crate) const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Five bits of chance for each letter, with a dash after each group.
pub(crate) fn draw<const COUNT: usize>(group: usize) -> Result<String, getrandom::Error> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes)?;
    let mut text = String::with_capacity(2 * COUNT);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % group == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte & 31)]));
    }
    Ok(text)
}
