//! Routes whose handlers all have one type. The compiler proves that a handler's future can be sent to other threads with each
//! layer that names its type, some thirty of them; here it does so once for a handler.

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter};

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

/// The routes of handlers and their part of the document, as `utoipa_axum::routes!` collects them.
macro_rules! routes {
    ($($handler:path),+ $(,)?) => {{
        use ::utoipa_axum::PathItemExt as _;

        let mut schemas = ::std::vec::Vec::new();
        let mut paths = ::utoipa::openapi::path::Paths::new();
        let mut router = ::axum::routing::MethodRouter::new();
        $(
            let (path, operation, methods) = ::utoipa_axum::routes!(@resolve_types $handler : schemas);
            for method in &methods {
                router = router.on(method.to_method_filter(), $crate::routing::AnyHandler::new($handler));
            }
            paths.add_path_operation(&path, methods, operation);
        )+
        (schemas, paths, router)
    }};
}

pub(crate) use routes;
