//! Errors as callers of `/v1` see them: RFC 9457 problem documents with a stable code and a detail that says what to do.

use std::time::Duration;

use api::describe_task_failure;
use axum::response::{IntoResponse, Response};
use domain::outcome::{Failure, RejectionCode};
use domain::saga::Saga;
use domain::{ReceivedId, Timestamp};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:ident, $title:literal;)*) => {
        /// The stable word for what went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// The address of the page about this kind of problem.
            const fn page(self) -> &'static str {
                match self { $(Self::$name => concat!("/problems/", $word),)* }
            }
        }
    };
}

codes! {
    InvalidJson = "invalid_json", BAD_REQUEST, "The body is not JSON";
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "The request has wrong fields";
    InvalidHeader = "invalid_header", BAD_REQUEST, "A header has a wrong value";
    BrokenBody = "broken_body", BAD_REQUEST, "The body ended early or is broken";
    Unauthorized = "unauthorized", UNAUTHORIZED, "An API key is needed";
    ForbiddenScope = "forbidden_scope", FORBIDDEN, "The API key lacks the scope";
    KeyExpired = "key_expired", UNAUTHORIZED, "The API key works no longer";
    KeyLimited = "key_limited", FORBIDDEN, "The API key is limited to other things";
    ForbiddenRole = "forbidden_role", FORBIDDEN, "The role may not";
    ForbiddenOrigin = "forbidden_origin", FORBIDDEN, "The page may not send forms";
    ForbiddenHost = "forbidden_host", FORBIDDEN, "The server does not go by this name";
    NotFound = "not_found", NOT_FOUND, "There is no such path";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The path has no such method";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The body came too slowly";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body has another media type";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests";
    MessageNotFound = "message_not_found", NOT_FOUND, "There is no such message";
    AccountNotFound = "account_not_found", NOT_FOUND, "There is no such account";
    AccountExists = "account_exists", CONFLICT, "The name is taken";
    AccountIsInSettings = "account_is_in_settings", CONFLICT, "The settings file has the account";
    AccountBusy = "account_busy", CONFLICT, "Messages of the account are under way";
    SessionNotFound = "session_not_found", NOT_FOUND, "There is no such session";
    SessionInUse = "session_in_use", CONFLICT, "The session is in use already";
    OtherPerson = "other_person", CONFLICT, "The session belongs to another person";
    PhoneNeeded = "phone_needed", UNPROCESSABLE_ENTITY, "A phone number is needed";
    PhoneInvalid = "phone_invalid", UNPROCESSABLE_ENTITY, "Telegram does not take the phone number";
    PhoneBanned = "phone_banned", UNPROCESSABLE_ENTITY, "Telegram has banned the phone number";
    SignUpNeeded = "sign_up_needed", UNPROCESSABLE_ENTITY, "The phone number has no account";
    EmailNeeded = "email_needed", UNPROCESSABLE_ENTITY, "Telegram wants an e-mail address first";
    PaymentNeeded = "payment_needed", UNPROCESSABLE_ENTITY, "Telegram wants to be paid for the code";
    AccountBanned = "account_banned", UNPROCESSABLE_ENTITY, "Telegram has closed the account";
    ApiIdInvalid = "api_id_invalid", UNPROCESSABLE_ENTITY, "Telegram does not know the application";
    LoginCodeInvalid = "code_invalid", UNPROCESSABLE_ENTITY, "The code is another";
    LoginCodeExpired = "code_expired", CONFLICT, "The code is too old";
    LoginPasswordInvalid = "password_invalid", UNPROCESSABLE_ENTITY, "The password is another";
    TermsDeclined = "terms_declined", CONFLICT, "The terms of service were not accepted";
    LoginFailed = "login_failed", BAD_GATEWAY, "Signing in did not work";
    UserNotFound = "user_not_found", NOT_FOUND, "There is no such user";
    UserExists = "user_exists", CONFLICT, "The name is taken";
    LastAdmin = "last_admin", CONFLICT, "It is the last admin";
    KeyNotFound = "key_not_found", NOT_FOUND, "There is no such API key";
    OperationNotFound = "operation_not_found", NOT_FOUND, "There is no such operation";
    FailedRequestNotFound = "failed_request_not_found", NOT_FOUND, "There is no such failed request";
    CardNotFound = "card_not_found", NOT_FOUND, "There is no such card";
    LogLineNotFound = "log_line_not_found", NOT_FOUND, "There is no such log line";
    ServiceNotFound = "service_not_found", NOT_FOUND, "There is no such service";
    AlertNotFound = "alert_not_found", NOT_FOUND, "There is no such alert";
    TargetNotFound = "target_not_found", NOT_FOUND, "There is no such target";
    TargetExists = "target_exists", CONFLICT, "The name is taken";
    TargetIsInSettings = "target_is_in_settings", CONFLICT, "The settings file has the target";
    WebhookNotFound = "webhook_not_found", NOT_FOUND, "There is no such webhook";
    AttemptNotFound = "attempt_not_found", NOT_FOUND, "The webhook was not notified of it";
    TargetRefused = "target_refused", BAD_GATEWAY, "The target did not take it";
    SettingsWrong = "settings_wrong", UNPROCESSABLE_ENTITY, "The settings cannot be used";
    FlowNotFound = "flow_not_found", NOT_FOUND, "There is no such flow";
    FlowIsInSettings = "flow_is_in_settings", CONFLICT, "The settings have the flow";
    FlowRunNotFound = "flow_run_not_found", NOT_FOUND, "There is no such run of a flow";
    ClientNotFound = "client_not_found", NOT_FOUND, "There is no such client";
    ClientConflict = "client_conflict", CONFLICT, "The clients cannot be merged or split so";
    AppealNotFound = "appeal_not_found", NOT_FOUND, "There is no such appeal";
    AlreadyAnswering = "already_answering", CONFLICT, "An answer is leaving at this moment";
    TurnNotFound = "turn_not_found", NOT_FOUND, "There is no such turn";
    TemplateNotFound = "template_not_found", NOT_FOUND, "There is no such template";
    TurnOver = "turn_over", CONFLICT, "The turn is not answered any more";
    CampaignNotFound = "campaign_not_found", NOT_FOUND, "There is no such campaign";
    CampaignExists = "campaign_exists", CONFLICT, "There is a campaign of this name";
    CampaignProfileNotFound = "campaign_profile_not_found", NOT_FOUND, "There is no such browser profile";
    CampaignProxyNotFound = "campaign_proxy_not_found", NOT_FOUND, "There is no such proxy";
    CampaignNotReady = "campaign_not_ready", CONFLICT, "The campaign is not ready for this";
    BackupNotFound = "backup_not_found", NOT_FOUND, "There is no such backup";
    MaintenanceNotFound = "maintenance_not_found", NOT_FOUND, "There is no such maintenance window";
    WrongState = "wrong_state", CONFLICT, "Its state does not allow it";
    Cancelled = "cancelled", CONFLICT, "It was cancelled";
    IdempotencyConflict = "idempotency_conflict", CONFLICT, "The Idempotency-Key belongs to another body";
    ChatNotFound = "chat_not_found", NOT_FOUND, "No account finds the chat";
    UploadNotFound = "upload_not_found", NOT_FOUND, "There is no such upload";
    FileNotFound = "file_not_found", NOT_FOUND, "There is no such file";
    MediaUnreachable = "media_unreachable", UNPROCESSABLE_ENTITY, "A file cannot be fetched";
    MediaRefused = "media_refused", UNPROCESSABLE_ENTITY, "A file lies where callers may not go";
    MediaInvalid = "media_invalid", UNPROCESSABLE_ENTITY, "A file cannot be sent as it is";
    RangeNotSatisfiable = "range_not_satisfiable", RANGE_NOT_SATISFIABLE, "The file has no such bytes";
    OwnChat = "own_chat", CONFLICT, "The account owns the chat";
    NoRights = "no_rights", FORBIDDEN, "No account has the right to";
    Rejected = "rejected", UNPROCESSABLE_ENTITY, "The provider refused it";
    MediaGone = "media_gone", GONE, "What it was to carry is no longer there";
    MediaExpired = "media_expired", GONE, "The provider no longer takes the file id";
    EventsRemoved = "events_removed", GONE, "The events are no longer kept";
    FloodWait = "flood_wait", TOO_MANY_REQUESTS, "Telegram asks to wait";
    LimitReached = "limit_reached", TOO_MANY_REQUESTS, "The limits of the accounts are reached";
    NoAccount = "no_account", SERVICE_UNAVAILABLE, "No account can do it now";
    DoNotContact = "do_not_contact", FORBIDDEN, "It is for someone on the do-not-contact list";
    DoNotContactEntryNotFound = "do_not_contact_entry_not_found", NOT_FOUND, "There is no such entry";
    Restored = "restored", CONFLICT, "It waited when a backup was made";
    ServiceStopped = "service_stopped", SERVICE_UNAVAILABLE, "The service was stopped";
    FileOnCdn = "file_on_cdn", NOT_IMPLEMENTED, "Telegram hands the file out through its CDN only";
    ProviderError = "provider_error", BAD_GATEWAY, "The provider answers with errors of its own";
    ReadFailed = "read_failed", BAD_GATEWAY, "The provider could not be read";
    QueueFull = "queue_full", SERVICE_UNAVAILABLE, "Too much waits already";
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE, "The server is stopping";
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "The store cannot be used now";
    StorageFull = "storage_full", INSUFFICIENT_STORAGE, "The disk is full";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something is wrong on our side";
}

impl Code {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}

/// The words for all that goes wrong, for those who have words of their own for it.
pub fn problem_codes() -> impl Iterator<Item = &'static str> {
    Code::ALL.iter().map(|code| code.as_str())
}

/// One field that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// Where: a path such as `mention.user_id`, or empty for the body as a whole.
    #[schema(example = "text")]
    pub(crate) field: String,
    /// What is wrong and what to write instead.
    #[schema(example = "is empty; write what is to be sent")]
    pub(crate) message: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// A problem, ready to be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem(Box<Body>);

/// An error as RFC 9457 writes it (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Body {
    /// The address of a page about this kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems/chat_not_found")]
    kind: &'static str,
    /// The kind of problem in a few words.
    title: &'static str,
    /// The HTTP status once more.
    #[schema(example = 404)]
    status: u16,
    /// The stable word for the kind of problem; programs decide by it.
    #[schema(example = "chat_not_found")]
    code: &'static str,
    /// What happened this time and what to do about it.
    detail: String,
    /// The fields that are wrong, with `invalid_request`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// The provider's own word, with `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_code: Option<String>,
    /// Seconds after which a repeat makes sense; also in the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    /// The message or operation this is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    id: Option<String>,
    /// The state of that message or operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "failed")]
    state: Option<&'static str>,
    #[serde(skip)]
    what: Code,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Body {
            kind: code.page(),
            title: code.title(),
            status: code.status().as_u16(),
            code: code.as_str(),
            detail: detail.into(),
            errors: Vec::new(),
            provider_code: None,
            retry_after: None,
            id: None,
            state: None,
            what: code,
        }))
    }

    /// Wrong fields; there is at least one.
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        let stop = |message: &str| if message.ends_with('?') { "" } else { "." };
        let detail = match errors.as_slice() {
            [FieldError { field, message }] if field.is_empty() => {
                format!("The body {message}{}", stop(message))
            }
            [FieldError { field, message }] => format!("The field {field:?} {message}{}", stop(message)),
            several => format!("{} fields are wrong; see errors.", several.len()),
        };
        let mut problem = Self::new(Code::InvalidRequest, detail);
        problem.0.errors = errors;
        problem
    }

    /// One field whose content cannot be used, with a code of its own.
    pub(crate) fn field(code: Code, error: FieldError) -> Self {
        let mut problem = Self::new(code, format!("The field {:?} {}.", error.field, error.message));
        problem.0.errors = vec![error];
        problem
    }

    /// A repeat makes sense after this number of seconds.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// It is about this message or operation.
    #[must_use]
    pub(crate) fn about(mut self, id: &impl ToString, state: &'static str) -> Self {
        self.0.id = Some(id.to_string());
        self.0.state = Some(state);
        self
    }

    /// Its state does not allow what was asked for; the rule says which would.
    pub(crate) fn wrong_state(what: &str, id: &impl ToString, state: &'static str, rule: &str) -> Self {
        Self::new(Code::WrongState, format!("The {what} is {state}; {rule}.")).about(id, state)
    }

    /// What a message that failed answers.
    pub(crate) fn failure(failure: &Failure, now: Timestamp) -> Self {
        Self::failed(failure, failure.describe(), now)
    }

    /// What work on a chat that failed answers.
    pub(crate) fn task_failure(saga: &Saga, failure: &Failure, now: Timestamp) -> Self {
        Self::failed(failure, describe_task_failure(saga, failure), now)
    }

    fn failed(failure: &Failure, detail: String, now: Timestamp) -> Self {
        let code = match failure {
            Failure::ChatNotFound { .. } => Code::ChatNotFound,
            Failure::NoRights { .. } | Failure::NotInChat { .. } => Code::NoRights,
            Failure::Rejected { provider_code: RejectionCode::OwnChat } => Code::OwnChat,
            Failure::Rejected { .. } => Code::Rejected,
            Failure::MediaGone { .. } => Code::MediaGone,
            Failure::MediaExpired { .. } => Code::MediaExpired,
            Failure::FloodWait { .. } => Code::FloodWait,
            Failure::LimitReached { .. } => Code::LimitReached,
            Failure::ProviderError { .. } | Failure::Undelivered { .. } => Code::ProviderError,
            Failure::NoAccount { .. } => Code::NoAccount,
            Failure::DoNotContact { .. } => Code::DoNotContact,
            Failure::Restored { .. } => Code::Restored,
        };
        let mut problem = Self::new(code, detail);
        match failure {
            Failure::Rejected { provider_code } if code == Code::Rejected => {
                problem.0.provider_code = Some(provider_code.to_string());
            }
            Failure::FloodWait { until } | Failure::LimitReached { until } => {
                problem.0.retry_after = Some(seconds_until(*until, now));
            }
            Failure::ChatNotFound { .. }
            | Failure::Rejected { .. }
            | Failure::NoRights { .. }
            | Failure::NotInChat { .. }
            | Failure::MediaGone { .. }
            | Failure::MediaExpired { .. }
            | Failure::ProviderError { .. }
            | Failure::Undelivered { .. }
            | Failure::NoAccount { .. }
            | Failure::DoNotContact { .. }
            | Failure::Restored { .. } => {}
        }
        problem
    }

    #[must_use]
    pub(crate) fn provider_code(mut self, word: &str) -> Self {
        self.0.provider_code = Some(word.to_owned());
        self
    }

    pub(crate) fn body(&self) -> &Body {
        &self.0
    }

    pub(crate) fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    pub(crate) fn code(&self) -> Code {
        self.0.what
    }

    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    pub(crate) fn wait_seconds(&self) -> Option<u64> {
        self.0.retry_after
    }

    pub(crate) fn message_not_found(given: &str) -> Self {
        let detail = match given.parse::<ReceivedId>() {
            // The id is good, and what it names is not stored, or is none of ours.
            Ok(id) => format!(
                "{id} is a message that others wrote: it is listed by GET /v1/chats/{}/history, its file is \
                 /v1/messages/{id}/media/0, and it is shown here if it is stored.",
                id.chat_id()
            ),
            Err(_) => format!("No message has the id {:?}.", shorten(given)),
        };
        Self::new(Code::MessageNotFound, detail)
    }

    pub(crate) fn operation_not_found(given: &str) -> Self {
        Self::new(
            Code::OperationNotFound,
            format!("No operation has the id {:?}; GET /v1/operations lists them.", shorten(given)),
        )
    }

    pub(crate) fn account_not_found(given: &str) -> Self {
        let given = shorten(given);
        Self::new(
            Code::AccountNotFound,
            format!("No account is named {given:?}; GET /v1/accounts lists the names."),
        )
    }
}

/// Whole seconds from now to `until`, rounded up, at least one.
pub(crate) fn seconds_until(until: Timestamp, now: Timestamp) -> u64 {
    whole_seconds(until.since(now))
}

/// A wait in whole seconds, so long that it is over by then; at least one.
pub(crate) fn whole_seconds(left: Duration) -> u64 {
    (left.as_secs() + u64::from(left.subsec_nanos() > 0)).max(1)
}

/// A caller's words, cut to a readable length.
pub(crate) fn shorten(given: &str) -> String {
    given.chars().take(64).collect()
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::StorageFull => Self::new(
                Code::StorageFull,
                "The disk is nearly full, so that nothing new is taken. Free some space; nothing was stored.",
            )
            .retry_after(60),
            refused @ StoreError::DoNotContact { .. } => Self::new(Code::DoNotContact, refused.to_string()),
            refused @ StoreError::FirstContacts { .. } => Self::new(Code::LimitReached, refused.to_string()),
            StoreError::Corrupt { .. } => {
                tracing::error!(%error, "the store refused a call");
                let detail = "A row of the database cannot be read. The log names it; repair it, or put a backup back.";
                Self::new(Code::StoreUnavailable, detail)
            }
            other => {
                tracing::error!(error = %other, "the store refused a call");
                Self::new(
                    Code::StoreUnavailable,
                    "The store cannot be used now. Try again; the log says why.",
                )
                .retry_after(5)
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(self.body()).unwrap_or_default();
        let mut response = Response::new(axum::body::Body::from(body));
        *response.status_mut() = self.code().status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.0.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code().status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"switchboard\""));
        }
        // For the audit log.
        response.extensions_mut().insert(self.code());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn words_are_unique_and_read_back() {
        for code in Code::ALL {
            assert_eq!(Code::from_word(code.as_str()), Some(*code));
            assert!(code.status().is_client_error() || code.status().is_server_error());
        }
    }

    #[test]
    fn the_page_about_errors_has_each_of_them() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
        let page = std::fs::read_to_string(page).expect("the page");
        let is_row = |line: &&str| line.starts_with("| `") && !line.starts_with("| `code`");
        let rows: Vec<_> = page.lines().filter(is_row).collect();
        for code in Code::ALL {
            let row = format!("| `{}` | {} |", code.as_str(), code.status().as_u16());
            let times = rows.iter().filter(|line| line.starts_with(&row)).count();
            assert_eq!(times, 1, "docs/errors.md: {row}");
        }
        assert_eq!(rows.len(), Code::ALL.len(), "a code that there is not");
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let now = Timestamp::default();
        assert_eq!(seconds_until(now.plus(Duration::from_millis(1_001)), now), 2);
        assert_eq!(seconds_until(now.plus(Duration::from_secs(3)), now), 3);
        assert_eq!(seconds_until(now, now), 1);
    }

    #[test]
    fn one_wrong_field_is_named_in_the_detail() {
        let problem = Problem::fields(vec![FieldError::new("text", "is empty")]);
        assert_eq!(problem.detail(), "The field \"text\" is empty.");
        assert_eq!(problem.into_response().status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
}
