namespace Estat.Http.Options;

/// <summary>How log entries are written to standard output.</summary>
public enum LogFormat
{
    /// <summary>Text to a terminal, JSON to anything else.</summary>
    Auto,

    /// <summary>A JSON object a line.</summary>
    Json,

    /// <summary>A readable line each.</summary>
    Text,
}
