//! The fault dial of the pretend providers: which calls go wrong, and how.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Numbers of these faults begin here: those of Telegram are below.
const FIRST: u64 = 1_000_000;

/// A fault as it is ordered and as it is listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelFaultOrder {
    /// The channel, as in settings; `ai` for models.
    pub(crate) provider: String,
    /// A part of the path, or of the method of a call; none means any call.
    #[serde(default)]
    pub(crate) method: Option<String>,
    pub(crate) fault: ChannelFault,
    /// For `delay` and `rate_limit`.
    #[serde(default)]
    pub(crate) seconds: Option<f64>,
    /// How often it strikes; none means until it is deleted.
    #[serde(default)]
    pub(crate) times: Option<u32>,
    /// For `error`: the status; 500 if left out.
    #[serde(default)]
    pub(crate) code: Option<u16>,
    /// For `error`: the body.
    #[serde(default)]
    pub(crate) message: Option<String>,
    /// For `error`, `garbage` and `cut`: whether the call is done all the same; none means no.
    #[serde(default)]
    pub(crate) effect: Option<bool>,
}

/// How a call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChannelFault {
    /// A status and a body of your choice.
    Error,
    /// 200 with a page for people.
    Garbage,
    /// The connection breaks in the middle of the answer.
    Cut,
    /// The answer never comes; the call is done with `effect`.
    Deaf,
    /// The call is done and answered late.
    Delay,
    /// As the provider says that there are too many.
    RateLimit,
    /// The access tokens end, and the call finds that.
    TokenExpired,
    /// The links to files that customers sent end, and the call finds that.
    LinksExpired,
    /// What is posted to the product is posted twice.
    Redeliver,
    /// What is posted to the product waits until the next has gone.
    Reorder,
    /// Of a model: 200 with JSON of another form.
    Nonsense,
    /// Of a model: it says nothing.
    Empty,
    /// Of a model: it stops in the middle, as at its limit of tokens.
    Truncated,
    /// Of a model: it declines to answer.
    Refusal,
    /// Of a model: its provider withholds the answer.
    ContentFilter,
    /// Of a model: the answer costs a hundred million tokens.
    OverBudget,
}

/// The provider of models.
const MODELS: &str = crate::ai::PROVIDER;

impl ChannelFault {
    /// Whether it is one of what a model says.
    pub(crate) const fn is_of_a_model(self) -> bool {
        matches!(
            self,
            Self::Nonsense
                | Self::Empty
                | Self::Truncated
                | Self::Refusal
                | Self::ContentFilter
                | Self::OverBudget
        )
    }

    /// Whether it is one of what a channel alone has.
    const fn is_of_a_channel(self) -> bool {
        matches!(self, Self::TokenExpired | Self::LinksExpired | Self::Redeliver | Self::Reorder)
    }
}

#[derive(Debug)]
struct Fault {
    id: u64,
    order: ChannelFaultOrder,
    left: Option<u32>,
}

/// A fault in the list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct ActiveChannelFault {
    /// For `DELETE /faults/{id}`.
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) order: ChannelFaultOrder,
}

/// The dial.
#[derive(Debug, Default)]
pub(crate) struct ChannelFaults {
    faults: Vec<Fault>,
    made: u64,
}

impl ChannelFaults {
    /// Adds one and says its number.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn add(&mut self, order: ChannelFaultOrder) -> Result<u64, String> {
        let is_of_models = order.provider == MODELS;
        if is_of_models && order.fault.is_of_a_channel() || !is_of_models && order.fault.is_of_a_model() {
            return Err("the provider has no such fault".to_owned());
        }
        if order.times == Some(0) {
            return Err("times must be at least 1".to_owned());
        }
        if order.seconds.is_some_and(|seconds| !(0.0..=86_400.0).contains(&seconds)) {
            return Err("seconds must be from 0 to 86400".to_owned());
        }
        let id = FIRST + self.made;
        self.made += 1;
        let left = order.times;
        self.faults.push(Fault { id, order, left });
        Ok(id)
    }

    pub(crate) fn list(&self) -> Vec<ActiveChannelFault> {
        let active = |fault: &Fault| ActiveChannelFault {
            id: fault.id,
            order: ChannelFaultOrder { times: fault.left, ..fault.order.clone() },
        };
        self.faults.iter().map(active).collect()
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.faults.len();
        self.faults.retain(|fault| fault.id != id);
        self.faults.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// The fault that strikes a call, or a post where `of_posts` is set; it strikes once less from then on.
    pub(crate) fn strike(&mut self, provider: &str, path: &str, of_posts: bool) -> Option<ChannelFaultOrder> {
        let strikes = |fault: &&mut Fault| {
            let order = &fault.order;
            let is_of_posts = matches!(order.fault, ChannelFault::Redeliver | ChannelFault::Reorder);
            order.provider == provider
                && is_of_posts == of_posts
                && order.method.as_deref().is_none_or(|method| path.contains(method))
        };
        let fault = self.faults.iter_mut().find(strikes)?;
        let order = fault.order.clone();
        if let Some(left) = &mut fault.left {
            *left -= 1;
        }
        self.faults.retain(|fault| fault.left != Some(0));
        Some(order)
    }
}

impl ChannelFaultOrder {
    pub(crate) fn wait(&self) -> Duration {
        Duration::try_from_secs_f64(self.seconds.unwrap_or(1.0)).unwrap_or_default()
    }
}
