//! The people a request names: users by id or by public name, up to a limit. Pure.

use domain::chat::ChatKind;
use domain::{ChatRef, NamedChat};

use crate::problem::FieldError;
use crate::v1::chat_name::ChatName;

/// How many people one request may name in all its lists.
pub(super) const MOST: usize = 200;

/// Reads one list; what is wrong with it is added to the errors.
pub(super) fn people(
    field: &str,
    given: Option<Vec<ChatName>>,
    errors: &mut Vec<FieldError>,
) -> Vec<ChatRef> {
    let given = given.unwrap_or_default();
    if given.len() > MOST {
        errors.push(FieldError::new(field, format!("has more than {MOST} people")));
        return Vec::new();
    }
    let mut read = Vec::with_capacity(given.len());
    for (index, ChatName(named)) in given.into_iter().enumerate() {
        match named {
            NamedChat::Chat(who) if is_person(&who) => read.push(who),
            other => {
                let message = format!("is wrong: {other} names no user here; name a user by id or username");
                errors.push(FieldError::new(format!("{field}[{index}]"), message));
            }
        }
    }
    read
}

/// Checks that two lists together are not too long.
pub(super) fn together(members: &[ChatRef], admins: &[ChatRef], errors: &mut Vec<FieldError>) {
    let named = members.len() + admins.len();
    if named > MOST {
        let message = format!("and admins name {named} people together; {MOST} at most in one request");
        errors.push(FieldError::new("members", message));
    }
}

/// Whether it can name a user at all.
pub(super) fn is_person(who: &ChatRef) -> bool {
    match who {
        ChatRef::Id(id) => id.kind() == ChatKind::User,
        ChatRef::Username(_) => true,
        ChatRef::Channel(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(count: usize, name: &str) -> (usize, Vec<String>) {
        let mut errors = Vec::new();
        let given = vec![ChatName(name.parse().expect("a chat")); count];
        let people = people("members", Some(given), &mut errors);
        (people.len(), errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn users_are_taken_and_chats_are_not() {
        assert_eq!(read(2, "@client_1"), (2, vec![]));
        assert_eq!(read(1, "123"), (1, vec![]));
        assert_eq!(read(1, "+70000000001"), (0, vec!["members[0]".to_owned()]));
        assert_eq!(read(1, "-1001234567890"), (0, vec!["members[0]".to_owned()]));
        assert_eq!(read(2, "-123"), (0, vec!["members[0]".to_owned(), "members[1]".to_owned()]));
        assert_eq!(read(200, "@client_1"), (200, vec![]));
        assert_eq!(read(201, "@client_1"), (0, vec!["members".to_owned()]));
    }

    #[test]
    fn two_lists_count_together() {
        let person: ChatRef = "@client_1".parse().expect("a user");
        for (members, admins, wrong) in [(200, 0, false), (100, 100, false), (100, 101, true)] {
            let mut errors = Vec::new();
            together(&vec![person.clone(); members], &vec![person.clone(); admins], &mut errors);
            assert_eq!(!errors.is_empty(), wrong, "{members} and {admins}");
        }
    }
}
