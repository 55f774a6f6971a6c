//! What every new connection is set to: how long a statement may take, and in which schema the tables are.

use diesel::dsl::sql;
use diesel::result::ConnectionError;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use tokio_postgres::Client;

use crate::connect::chain;
use crate::settings::Settings;

const CURRENT_SCHEMA: &str = "SELECT current_schema()::text";

pub(crate) async fn set_up(
    connection: &mut AsyncPgConnection,
    settings: &Settings,
) -> Result<(), ConnectionError> {
    connection
        .batch_execute(&time_outs(settings))
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    match &settings.schema {
        Some(schema) => demand_schema(connection, schema).await,
        None => Ok(()),
    }
}

/// The same on a connection without diesel.
pub(crate) async fn set_up_driver(
    client: &Client,
    settings: &Settings,
) -> Result<(), ConnectionError> {
    let failed = |error| ConnectionError::BadConnection(chain(&error));
    client
        .batch_execute(&time_outs(settings))
        .await
        .map_err(failed)?;
    if let Some(schema) = &settings.schema {
        let query = client.query_typed(CURRENT_SCHEMA, &[]).await;
        let current = query.map_err(failed)?.into_iter().next();
        return compare(current.and_then(|row| row.get(0)), schema);
    }
    Ok(())
}

/// What any role may set; `lc_messages`, for one, it may not.
fn time_outs(settings: &Settings) -> String {
    let limit = settings.statement_timeout.as_millis();
    format!("SET statement_timeout = {limit}; SET idle_in_transaction_session_timeout = {limit}")
}

/// A pooler may have dropped the option of the start; then the tables would be made and filled in a schema that nobody
/// named.
async fn demand_schema(
    connection: &mut AsyncPgConnection,
    schema: &str,
) -> Result<(), ConnectionError> {
    let current = sql::<Nullable<Text>>(CURRENT_SCHEMA)
        .get_result(connection)
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    compare(current, schema)
}

fn compare(current: Option<String>, schema: &str) -> Result<(), ConnectionError> {
    let why = match current {
        Some(current) if current == schema => return Ok(()),
        Some(_) => {
            "is not in force: a pooler between drops start-up options; set it with ALTER ROLE … SET search_path"
        }
        None => "does not exist, or this role may not use it; an owner makes it with CREATE SCHEMA",
    };
    let refusal = format!("the schema {schema} {why}");
    Err(ConnectionError::InvalidConnectionUrl(refusal))
}
