//! What an entry in the history of a saga is about: one of its steps, or the saga as a whole.

/// What an entry in the history of a saga is about.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SagaEvent {
    /// [`super::Step::Resolve`].
    Resolve,
    /// [`super::Step::Create`].
    Create,
    /// [`super::Step::OpenHistory`].
    OpenHistory,
    /// [`super::Step::Invite`].
    Invite,
    /// [`super::Step::Promote`].
    Promote,
    /// [`super::Step::ExportLink`].
    ExportLink,
    /// [`super::Step::ListMembers`].
    ListMembers,
    /// [`super::Step::Remove`].
    Remove,
    /// [`super::Step::Leave`].
    Leave,
    /// [`super::Step::SetTitle`].
    SetTitle,
    /// [`super::Step::SetAbout`].
    SetAbout,
    /// It was taken in.
    Accepted,
    /// It was taken up again after a restart.
    Resumed,
    /// A caller joined it.
    Joined,
    /// It is held back.
    Waiting,
    /// It went to another account.
    MovedOn,
    /// A person ended its doubt.
    Resolved,
    /// It was put in the queue again by hand.
    Retried,
    /// It is done.
    Finished,
    /// It ended, and changed nothing that counts.
    Failed,
    /// It was ended before anything was begun.
    Cancelled,
    /// It may have been done, and the account that did it cannot be asked.
    InDoubt,
}

enum_words!(SagaEvent);
