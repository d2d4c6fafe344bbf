//! What a call demands: scopes of an API key, a right of a user. A handler names it as a type in its signature.

use access::Right;
use store::Scope;

use super::key_cache::CachedKey;

/// What a call demands of its caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// Of a key.
    pub(crate) scopes: Scopes,
    /// Of a user of the dashboard.
    pub(crate) right: Right,
}

/// The scopes that a call demands of a key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scopes {
    /// One of them.
    Any(&'static [Scope]),
    /// Every one of them.
    All(&'static [Scope]),
}

impl Scopes {
    pub(crate) fn are_held_by(self, key: &CachedKey) -> bool {
        match self {
            Self::Any(scopes) => scopes.iter().any(|scope| key.may(*scope)),
            Self::All(scopes) => scopes.iter().all(|scope| key.may(*scope)),
        }
    }

    /// Each set of scopes that is enough.
    pub(crate) fn alternatives(self) -> Vec<Vec<Scope>> {
        match self {
            Self::Any(scopes) => scopes.iter().map(|scope| vec![*scope]).collect(),
            Self::All(scopes) => vec![scopes.to_vec()],
        }
    }

    /// The scopes as a problem names them, such as `"send" or "operate"`.
    pub(crate) fn in_words(self) -> String {
        let (Self::Any(scopes) | Self::All(scopes)) = self;
        let conjunction = if matches!(self, Self::Any(_)) { " or " } else { " and " };
        let words: Vec<String> = scopes.iter().map(|scope| format!("{:?}", scope.as_str())).collect();
        words.join(conjunction)
    }

    /// The options of `switchboard key create` that make a key with enough scopes.
    pub(super) fn options(self) -> String {
        let enough = self.alternatives().into_iter().next().unwrap_or_default();
        let options: Vec<String> = enough.iter().map(|scope| format!("--scope {}", scope.as_str())).collect();
        options.join(" ")
    }
}

/// What a call demands, as a type for the signatures of handlers.
pub(crate) trait Needed {
    const DEMAND: Demand;
}

/// The types that stand for what a call demands.
macro_rules! needed {
    ($($(#[$doc:meta])* $name:ident = $kind:ident($($scope:ident),+), $right:ident;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Needed for $name {
            const DEMAND: Demand =
                Demand { scopes: Scopes::$kind(&[$(Scope::$scope),+]), right: Right::$right };
        }
    )*};
}

needed! {
    /// May look.
    CanRead = Any(Read), Look;
    /// May look at conversations with clients.
    CanReadInbox = Any(Read), ReadInbox;
    /// May answer clients.
    CanAnswer = Any(Send), Answer;
    /// May send messages, and send those again that failed.
    CanSend = Any(Send), Send;
    /// May start what sends messages by itself, and fill it: campaigns and flows.
    CanStartSending = All(Send, Operate), Operate;
    /// May cancel what was asked for.
    CanCancel = Any(Send, Operate), Send;
    /// May let out what waits for a person: all of it where the caller decides, else answers to clients.
    CanApprove = Any(Send), Answer;
    /// May cancel what waits for a person.
    CanReject = Any(Send, Operate), Answer;
    /// May change, merge and split clients.
    CanChangeClients = Any(Personal), Answer;
    /// May hand out all that is stored of a client.
    CanExportClients = All(Personal, Read), Send;
    /// May erase a client.
    CanEraseClients = Any(Personal), Send;
    /// May take over clients of an older program.
    CanImportClients = Any(Personal), Operate;
    /// May keep it running.
    CanOperate = Any(Operate), Operate;
    /// May pause webhooks, test them and post to them again.
    CanRunWebhooks = Any(Operate), Administer;
    /// May sign an account in.
    CanSignIn = Any(Admin), Operate;
    /// May add, change and remove accounts.
    CanArrangeAccounts = Any(Admin), ArrangeAccounts;
    /// May take sessions out.
    CanExportSessions = Any(Admin), ExportSessions;
    /// May change alert targets.
    CanArrangeAlerts = Any(Admin), ArrangeAlerts;
    /// May see, make and revoke API keys.
    CanManageKeys = Any(Admin), ManageKeys;
    /// May see and change users.
    CanManagePeople = Any(Admin), ManagePeople;
    /// May read the audit log.
    CanReadAudit = Any(Admin), ReadAudit;
    /// May do everything.
    CanAdminister = Any(Admin), Administer;
}
