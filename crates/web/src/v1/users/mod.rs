//! `/v1/users`: the people of the dashboard, their passwords, second factors and sessions.

mod change;
mod list;
mod password;
mod sessions;

use crate::routing::routes;
use access::{PeopleError, UserName};
use utoipa_axum::router::OpenApiRouter;

use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list::list, change::add))
        .routes(routes!(list::get, change::change, change::remove))
        .routes(routes!(password::set))
        .routes(routes!(password::reset_second_factor))
        .routes(routes!(sessions::list, sessions::end_all))
        .routes(routes!(sessions::end))
}

/// Reads a name in a path: what cannot be one is one that no one has.
fn read_name(given: &str) -> Result<UserName, Problem> {
    given.parse().map_err(|_| missing(given))
}

fn missing(given: &str) -> Problem {
    let detail = format!("No user has the name {:?}; GET /v1/users lists them.", shorten(given));
    Problem::new(Code::UserNotFound, detail)
}

/// What a change that was not made answers.
fn refused(error: PeopleError, name: &str) -> Problem {
    match error {
        PeopleError::Unknown => missing(name),
        PeopleError::Taken => {
            Problem::new(Code::UserExists, format!("There is a user {:?} already.", shorten(name)))
        }
        PeopleError::LastAdmin => Problem::new(
            Code::LastAdmin,
            "This is the last admin, and no one could manage the program without one; make another admin first.",
        ),
        PeopleError::Unfit(unfit) => Problem::fields(vec![FieldError::new("password", unfit.to_string())]),
        PeopleError::Busy => {
            Problem::new(Code::QueueFull, "Too many passwords are being checked at once; try again soon.")
                .retry_after(5)
        }
        PeopleError::Failed(what) => {
            tracing::error!(error = what, "a user could not be changed");
            Problem::new(Code::Internal, "Something is wrong on our side; the log says what.")
        }
        PeopleError::Store(error) => error.into(),
    }
}
