// What an error of PostgreSQL means for the messages that were being stored.
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace Estat.Topics.Postgres;

/// <summary>Tells a message that can never be stored from a database that cannot store now.</summary>
internal static partial class SqlErrors
{
    /// <summary>Whether the error says that a row cannot be stored as it is: SQLSTATE class 22, 54 or 23.</summary>
    /// <param name="error">What PostgreSQL said to rows of messages.</param>
    internal static bool IsRefusal(PostgresException error) => error.SqlState[..2] switch
    {
        "22" or "54" => true,
        // A row that is there already was stored by somebody else; a partition that is missing is not the row's fault.
        "23" => error.SqlState switch
        {
            PostgresErrorCodes.UniqueViolation => error.ConstraintName?.EndsWith("_pkey", StringComparison.Ordinal) != true,
            PostgresErrorCodes.CheckViolation => !string.IsNullOrEmpty(error.ConstraintName),
            _ => true,
        },
        _ => false,
    };

    /// <summary>Whether an error may come from one message, so that it is worth finding out from which.</summary>
    /// <param name="error">What the database said.</param>
    internal static bool MayBeOneMessage(Exception error) => error is PostgresException said
        && (said.SqlState == PostgresErrorCodes.OutOfMemory
            || said.SqlState[..2] is not ("08" or "25" or "28" or "3D" or "40" or "42" or "53" or "55" or "57" or "58"));

    /// <summary>Whether a row is there already, though it should be new.</summary>
    /// <param name="error">What PostgreSQL said to rows of messages.</param>
    internal static bool IsThere(PostgresException error) => error.SqlState == PostgresErrorCodes.UniqueViolation && !IsRefusal(error);

    /// <summary>Whether it took too long: statement_timeout, or Npgsql's own limit.</summary>
    /// <param name="error">What the database or Npgsql said.</param>
    internal static bool IsTimeout(Exception error) => error is PostgresException { SqlState: PostgresErrorCodes.QueryCanceled }
        || (error is NpgsqlException && error.InnerException is TimeoutException);

    /// <summary>Whether tables are missing, or are not as they should be.</summary>
    /// <param name="error">What the database said.</param>
    internal static bool IsOfSchema(Exception error) => error is PostgresException
    {
        SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.UndefinedColumn,
    };

    /// <summary>Which row of a COPY it was, from 0; null when PostgreSQL does not say.</summary>
    /// <param name="error">What PostgreSQL said.</param>
    internal static int? RowOf(PostgresException error) =>
        error.Where is { } where && CopyLine().Match(where) is { Success: true } match
        && int.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int line) && line > 0 ? line - 1 : null;

    /// <summary>The error in one line, for people: never a row's content.</summary>
    /// <param name="error">What the database or the network said.</param>
    internal static string Text(Exception error) => error switch
    {
        PostgresException said => $"{said.MessageText} (SQLSTATE {said.SqlState}{(said.ConstraintName is { Length: > 0 } name ? $", {name}" : "")})",
        NpgsqlException { InnerException: { } inner } => $"{error.Message}: {inner.Message}".ReplaceLineEndings(" "),
        _ => error.Message.ReplaceLineEndings(" "),
    };

    [GeneratedRegex(@"^COPY \w+, line (\d+)", RegexOptions.Multiline)]
    private static partial Regex CopyLine();
}
