//! The hook into execution: variables and cost are checked before it, and it leaves a mark when it begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextParseQuery, NextValidation,
};
use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Response, ServerError, ServerResult, ValidationResult, Variables};

use super::document;
use crate::error::api::{BAD_REQUEST, TOO_COMPLEX, coded};

/// Which operation a request wants, and whether it got there. Travels in the request's data.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    operation_name: Option<String>,
    executed: AtomicBool,
}

impl Progress {
    pub(crate) fn new(operation_name: Option<&str>) -> Self {
        Self { operation_name: operation_name.map(str::to_owned), executed: AtomicBool::new(false) }
    }

    /// Whether execution began. If not, the answer has no data and nothing was done.
    pub(crate) fn executed(&self) -> bool {
        self.executed.load(Ordering::Acquire)
    }
}

/// Most that a document may ask for.
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
        let name = ctx.data_opt::<Arc<Progress>>().and_then(|progress| progress.operation_name.as_deref());
        let operation =
            document::operation(&document, name).map_err(|unfit| coded(BAD_REQUEST, unfit.to_string()))?;
        super::variables::check(&ctx.schema_env.registry, operation, variables)
            .map_err(|wrong| coded(BAD_REQUEST, wrong))?;
        super::usages::check(&ctx.schema_env.registry, &document, operation, variables)?;
        if super::cost::of(&document, operation, variables) > self.complexity {
            return Err(coded(TOO_COMPLEX, "The document asks for too much; ask for shorter pages."));
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
            return Err(vec![coded(TOO_COMPLEX, "The document is nested too deep.")]);
        }
        Ok(result)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        if let Some(progress) = ctx.data_opt::<Arc<Progress>>() {
            progress.executed.store(true, Ordering::Release);
        }
        next.run(ctx, operation_name).await
    }
}
