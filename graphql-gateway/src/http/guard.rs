//! Hooks into the library: checks variables, arguments and cost before execution, and notes when that begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Response, ServerError, ServerResult, ValidationResult, Variables};

use super::{cost, document, usages, variables};
use crate::error::{BAD_REQUEST, TOO_COMPLEX, server_error};

/// The operation that a request names, and whether its execution has begun. Part of the request's data.
#[derive(Debug, Default)]
pub(crate) struct ExecutionProgress {
    operation_name: Option<String>,
    has_begun: AtomicBool,
}

impl ExecutionProgress {
    pub(crate) fn new(operation_name: Option<&str>) -> Self {
        Self { operation_name: operation_name.map(str::to_owned), has_begun: AtomicBool::new(false) }
    }

    /// Whether execution has begun. If not, the answer has no data and nothing was done.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }
}

/// The limits of a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    pub(crate) depth: usize,
    pub(crate) complexity: usize,
}

impl ExtensionFactory for Guard {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait::async_trait]
impl Extension for Guard {
    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        let document = next.run(ctx, query, variables).await?;
        let name =
            ctx.data_opt::<Arc<ExecutionProgress>>().and_then(|progress| progress.operation_name.as_deref());
        let operation = document::operation(&document, name)
            .map_err(|error| server_error(BAD_REQUEST, error.to_string()))?;
        variables::check(&ctx.schema_env.registry, operation, variables)
            .map_err(|wrong| server_error(BAD_REQUEST, wrong))?;
        usages::check(&ctx.schema_env.registry, &document, operation, variables)?;
        if cost::of(&document, operation, variables) > self.complexity {
            return Err(server_error(TOO_COMPLEX, "The document asks for too much; ask for shorter pages."));
        }
        Ok(document)
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next.run(ctx).await?;
        if result.depth > self.depth {
            return Err(vec![server_error(TOO_COMPLEX, "The document is nested too deep.")]);
        }
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(progress) = ctx.data_opt::<Arc<ExecutionProgress>>() {
            progress.has_begun.store(true, Ordering::Release);
        }
        next.run(ctx, operation_name).await
    }
}
