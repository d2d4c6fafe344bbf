//! Routes whose handlers all have one type. The compiler proves that a handler's future can be sent to other threads with each
//! layer that names its type, some thirty of them; here it does so once for a handler.

use std::pin::Pin;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State as Shared};
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};
use http::HeaderMap;

use crate::auth::{Authorized, Demand, Needed};
use crate::extract::{Json, PathParameter, QueryParameters, Unchecked};
use crate::state::State;
use crate::v1::PageRequest;

type ResponseFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A handler behind a pointer.
pub struct AnyHandler<S>(Arc<dyn Fn(Request, S) -> ResponseFuture + Send + Sync>);

impl<S> AnyHandler<S> {
    pub fn new<H, T>(handler: H) -> Self
    where
        H: Handler<T, S, Future = ResponseFuture>,
    {
        Self(Arc::new(move |request, state| handler.clone().call(request, state)))
    }
}

impl<S> Clone for AnyHandler<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: 'static> Handler<(), S> for AnyHandler<S> {
    type Future = ResponseFuture;

    fn call(self, request: Request, state: S) -> ResponseFuture {
        (self.0)(request, state)
    }
}

macro_rules! methods {
    ($($name:ident $method:ident)+) => {
        $(
            /// Routes requests of this method to the handler.
            pub fn $name<H, T, S>(handler: H) -> MethodRouter<S>
            where
                H: Handler<T, S, Future = ResponseFuture>,
                S: Clone + Send + Sync + 'static,
            {
                MethodRouter::new().on(MethodFilter::$method, AnyHandler::new(handler))
            }
        )+
    };
}

methods! {
    delete DELETE
    get GET
    post POST
    put PUT
}

/// An argument of a handler: it may demand something of the caller.
pub(crate) trait Argument {
    const DEMAND: Option<Demand> = None;
}

impl<N: Needed> Argument for Authorized<N> {
    const DEMAND: Option<Demand> = Some(N::DEMAND);
}

impl Argument for HeaderMap {}
impl Argument for PageRequest {}
impl Argument for QueryParameters {}
impl Argument for Request {}
impl<T> Argument for Extension<T> {}
impl<T> Argument for Json<T> {}
impl<T> Argument for Option<T> {}
impl<T> Argument for PathParameter<T> {}
impl<T> Argument for Shared<T> {}
impl<T> Argument for Unchecked<T> {}

/// The arguments of a handler, as axum names their types.
pub(crate) trait Arguments {
    const DEMAND: Option<Demand>;
}

const fn first(demands: &[Option<Demand>]) -> Option<Demand> {
    match demands {
        [] => None,
        [Some(demand), ..] => Some(*demand),
        [None, rest @ ..] => first(rest),
    }
}

macro_rules! arguments {
    ($($($argument:ident)*;)*) => {
        $(
            impl<M, $($argument: Argument),*> Arguments for (M, $($argument,)*) {
                const DEMAND: Option<Demand> = first(&[$(<$argument as Argument>::DEMAND),*]);
            }
        )*
    };
}

arguments! {
    ;
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
}

/// What a handler demands of its caller, by the types of its arguments.
pub(crate) fn demand_of<H, T>(_: H) -> Option<Demand>
where
    H: Handler<T, State>,
    T: Arguments,
{
    T::DEMAND
}

/// The routes of handlers and their part of the document, as `utoipa_axum::routes!` collects them.
macro_rules! routes {
    ($($handler:path),+ $(,)?) => {{
        use ::utoipa_axum::PathItemExt as _;

        let mut schemas = ::std::vec::Vec::new();
        let mut paths = ::utoipa::openapi::path::Paths::new();
        let mut router = ::axum::routing::MethodRouter::new();
        $(
            let (path, mut operation, methods) = ::utoipa_axum::routes!(@resolve_types $handler : schemas);
            if let Some(demand) = $crate::routing::demand_of($handler) {
                $crate::openapi::demand(&mut operation, demand);
            }
            for method in &methods {
                router = router.on(method.to_method_filter(), $crate::routing::AnyHandler::new($handler));
            }
            paths.add_path_operation(&path, methods, operation);
        )+
        (schemas, paths, router)
    }};
}

pub(crate) use routes;
