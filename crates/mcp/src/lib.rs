//! A server of the Model Context Protocol (revision 2025-06-18) without sessions: one request, one answer.
//!
//! `rmcp` is generic over its server. This crate gives it one, so that its code is compiled here and nowhere else.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::Full;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, Implementation, ListResourceTemplatesResult, ListToolsResult,
    PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities,
    ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{RoleServer, ServerHandler};

pub use rmcp::model::{
    CallToolResult, ContentBlock, ErrorData, JsonObject, ReadResourceResult, ResourceContents,
    ResourceTemplate, Tool, ToolAnnotations,
};

/// What one caller may list, call and read.
pub trait Backend: Send + Sync + 'static {
    /// Returns the name and the title of the server.
    fn name(&self) -> (&'static str, &'static str);
    /// Returns the version of the server.
    fn version(&self) -> &'static str;
    /// Returns what a model reads before it uses a tool.
    fn instructions(&self) -> &'static str;
    /// Returns the tools that the caller may use.
    fn tools(&self) -> Vec<Tool>;
    /// Calls a tool.
    ///
    /// # Errors
    /// There is no such tool.
    fn call(&self, name: &str, arguments: JsonObject) -> BoxFuture<'_, Result<CallToolResult, ErrorData>>;
    /// Returns the templates of addresses that the caller may read.
    fn templates(&self) -> Vec<ResourceTemplate>;
    /// Reads what is at an address.
    ///
    /// # Errors
    /// There is no such address, or reading failed.
    fn read(&self, uri: String) -> BoxFuture<'_, Result<ReadResourceResult, ErrorData>>;
}

/// Which requests are answered.
pub struct Limits {
    /// The values of the header `Host` that are answered.
    pub hosts: Vec<String>,
    /// The values of the header `Origin` that are answered.
    pub origins: Vec<String>,
    /// The largest body, in bytes.
    pub body: usize,
}

/// Answers one request. Of a foreign host or origin it answers 403.
pub fn handle(
    backend: Arc<dyn Backend>,
    request: Request<Full<Bytes>>,
    limits: Limits,
) -> BoxFuture<'static, Response<Body>> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(limits.hosts)
        .with_allowed_origins(limits.origins)
        .with_max_request_body_bytes(limits.body);
    let server = Server(backend);
    let sessions = Arc::new(NeverSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(server.clone()), sessions, config);
    Box::pin(async move { service.handle(request).await.map(Body::new) })
}

#[derive(Clone)]
struct Server(Arc<dyn Backend>);

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().build();
        let (name, title) = self.0.name();
        let implementation = Implementation::new(name, self.0.version()).with_title(title);
        ServerConfig::new(capabilities)
            .with_server_info(implementation)
            .with_instructions(self.0.instructions())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        std::future::ready(Ok(ListToolsResult::with_all_items(self.0.tools()))).await
    }

    async fn call_tool(
        &self,
        parameters: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = parameters.arguments.unwrap_or_default();
        self.0.call(&parameters.name, arguments).await.map(Into::into)
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        std::future::ready(Ok(ListResourceTemplatesResult::with_all_items(self.0.templates()))).await
    }

    async fn read_resource(
        &self,
        parameters: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.0.read(parameters.uri).await.map(Into::into)
    }
}
