//! The tools: which calls of the API they are, in words for a model.

use std::sync::LazyLock;

use mcp::{Tool, ToolAnnotations};
use serde_json::Value;
use store::Scope;

use super::call::ApiCall;
use super::schema;
use crate::auth::{Caller, is_closed_to_limited_keys};

/// A call of the API that is a tool of the same name.
struct Row {
    operation: &'static str,
    title: &'static str,
    description: &'static str,
    does: Does,
}

/// What a tool does to what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    /// Nothing.
    Looks,
    /// It adds something that others see, once for each key.
    Sends,
    /// It adds something that only people here see.
    Notes,
    /// It changes how something is.
    Sets,
}

impl Does {
    fn hints(self) -> ToolAnnotations {
        let hints = ToolAnnotations::new().read_only(self == Self::Looks).open_world(self == Self::Sends);
        match self {
            Self::Looks => hints,
            Self::Sends => hints.destructive(false).idempotent(true),
            Self::Notes => hints.destructive(false).idempotent(false),
            Self::Sets => hints.destructive(true).idempotent(true),
        }
    }
}

const fn looks(operation: &'static str, title: &'static str, description: &'static str) -> Row {
    Row { operation, title, description, does: Does::Looks }
}

const fn changes(does: Does, operation: &'static str, title: &'static str, description: &'static str) -> Row {
    Row { operation, title, description, does }
}

const ROWS: [Row; 21] = [
    looks(
        "list_accounts",
        "List accounts",
        "Lists the Telegram accounts that messages are sent through, and whether each can send now.",
    ),
    looks(
        "list_channels",
        "List channels",
        "Lists the accounts at providers through which customers write, such as Avito, WhatsApp or VK, and whether each works.",
    ),
    looks(
        "list_chats",
        "List chats",
        "Lists chats; with q also people. Use it to find the chat_id of someone who is known by name, username or phone number.",
    ),
    looks(
        "read_conversation",
        "Read a conversation",
        "Reads the messages of one chat in both directions, newest first.",
    ),
    looks(
        "list_messages",
        "Search messages",
        "Searches messages of all chats by text, state, account, chat and time. direction=in searches those that were received, \
         direction=out those that were sent; state=undelivered lists what has not arrived. A page may be short or empty and \
         still have a next_cursor.",
    ),
    looks(
        "get_message",
        "Get a message",
        "Shows one message and its state. Messages that were sent have ids that begin with msg_.",
    ),
    looks(
        "explain_message",
        "Explain a message",
        "Explains step by step why a message that was to be sent is where it is: what was tried, by which account, and why it \
         waits or failed.",
    ),
    looks(
        "list_operations",
        "List operations",
        "Lists work, newest first: messages and operations on chats such as making one, with their states.",
    ),
    looks(
        "list_campaigns",
        "List campaigns",
        "Lists the campaigns, which write to lists of chats, and how far each is.",
    ),
    looks(
        "list_conversations",
        "List conversations with clients",
        "Lists conversations with clients, the one that changed last first: each is one client over all channels. open=true lists \
         those that are not closed, state=waiting_us those in which a person owes an answer.",
    ),
    looks(
        "get_conversation",
        "Get a conversation with a client",
        "Shows a client with the last appeal, its state and the last message.",
    ),
    looks(
        "list_conversation_messages",
        "Read a conversation with a client",
        "Reads what a client and the business wrote to each other over all channels, newest first.",
    ),
    looks("list_clients", "Find clients", "Finds clients by text in their name, phone number or address."),
    looks(
        "get_client",
        "Get a client",
        "Shows a client with its chats and appeals, and clients that may be the same person.",
    ),
    looks(
        "get_pipeline",
        "Look at the pipeline",
        "Counts what clients wrote and is not answered yet, stage by stage, and since when the oldest waits.",
    ),
    changes(
        Does::Sends,
        "reply",
        "Answer a client",
        "Sends an answer to a client, in the chat that the client wrote in last, as a person of the business would. It cannot be \
         taken back. From then on no program answers this client until the conversation is given back with \
         hand_over_conversation.",
    ),
    changes(
        Does::Notes,
        "add_note",
        "Note something about a conversation",
        "Adds a note for colleagues to the last appeal of a client. The client does not see it.",
    ),
    changes(
        Does::Sets,
        "hand_over_conversation",
        "Say who answers a client",
        "Says who is to answer a client from now on: to=human a person, to=ai the model, to=off no one; without it, as the settings \
         say.",
    ),
    changes(
        Does::Sets,
        "close_conversation",
        "Close a conversation",
        "Closes the last appeal of a client. It opens again when the client writes soon afterwards.",
    ),
    changes(
        Does::Sends,
        "send_message",
        "Send a message",
        "Sends a message to a real person or chat, or an answer to a message with reply_to. It cannot be taken back. The result \
         has the state sent, or says that it goes on by itself: look again with get_message. An error is final: nothing is sent \
         later.",
    ),
    changes(
        Does::Sends,
        "create_chat",
        "Create a chat",
        "Makes a Telegram group, invites people and makes an invite link. The result says who could not be invited, or that it \
         goes on by itself: look again with list_operations. An error is final: nothing is made later.",
    ),
];

/// A tool, and how the API is called for it.
pub(super) struct CallableTool {
    pub(super) tool: Tool,
    pub(super) call: ApiCall,
    /// It sends what the model says.
    pub(super) sends: bool,
    /// Each set of scopes that the call takes.
    scopes: Vec<Vec<Scope>>,
}

static TOOLS: LazyLock<Vec<CallableTool>> = LazyLock::new(|| {
    let document = serde_json::to_value(crate::router::document()).unwrap_or_default();
    ROWS.iter().filter_map(|row| CallableTool::new(row, &document)).collect()
});

impl CallableTool {
    fn new(row: &Row, document: &Value) -> Option<Self> {
        let (call, input, output) = schema::of(document, row.operation)?;
        let tool = Tool::new(row.operation, row.description, input)
            .with_title(row.title)
            .with_raw_output_schema(output.into())
            .with_annotations(row.does.hints());
        let (scopes, sends) = (schema::scopes(document, row.operation), row.does == Does::Sends);
        Some(Self { tool, call, sends, scopes })
    }
}

pub(super) fn find(name: &str) -> Option<&'static CallableTool> {
    TOOLS.iter().find(|tool| tool.tool.name == name)
}

/// The tools that a caller may use. Which chats and accounts its key reaches, the calls say.
pub(super) fn open_to(caller: &Caller) -> impl Iterator<Item = &'static CallableTool> {
    TOOLS.iter().filter(|tool| {
        caller.has_one_of(&tool.scopes)
            && (caller.limited().is_none() || !is_closed_to_limited_keys(&tool.tool.name))
    })
}
