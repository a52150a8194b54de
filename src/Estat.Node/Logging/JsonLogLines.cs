// Log entries for machines: one JSON object a line, with names that CloudWatch Logs Insights, Loki and jq take as they are.
using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Estat.Base.Options;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Estat.Node.Logging;

/// <summary>
/// <c>{"timestamp":"…Z","level":"warning","event":"StorageBeganToFail","category":"…","message":"…","fields":{…},"exception":"…","trace_id":"…"}</c>;
/// the last three only where there is something to say. docs/operations.md lists them. <c>event</c> names the place in the code and stays what it is
/// when the words of the message change: alarms belong to it.
/// </summary>
internal sealed class JsonLogLines() : ConsoleFormatter(FormatterName)
{
    /// <summary>The name to choose it by.</summary>
    internal const string FormatterName = "estat-json";

    private const string OriginalFormat = "{OriginalFormat}";
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("timestamp", MomentText.ToText(DateTimeOffset.UtcNow));
            json.WriteString("level", logEntry.LogLevel switch
            {
                LogLevel.Trace => "trace",
                LogLevel.Debug => "debug",
                LogLevel.Information => "information",
                LogLevel.Warning => "warning",
                LogLevel.Error => "error",
                _ => "critical",
            });
            json.WriteString("event", NameOf(logEntry.EventId));
            json.WriteString("category", logEntry.Category);
            json.WriteString("message", logEntry.Formatter(logEntry.State, logEntry.Exception));
            if (logEntry.State is IReadOnlyList<KeyValuePair<string, object?>> fields)
            {
                WriteFields(json, fields);
            }

            if (logEntry.Exception is { } error)
            {
                json.WriteString("exception", error.ToString());
            }

            if (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity)
            {
                json.WriteString("trace_id", activity.TraceId.ToHexString());
                json.WriteString("span_id", activity.SpanId.ToHexString());
            }

            json.WriteEndObject();
        }

        textWriter.WriteLine(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    // The logging methods of this repository are called Log…; an entry without a name has its number.
    private static string NameOf(EventId id) =>
        id.Name is not { Length: > 0 } name ? id.Id.ToString(CultureInfo.InvariantCulture)
        : name.StartsWith("Log", StringComparison.Ordinal) ? name[3..]
        : name;

    private static void WriteFields(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>> fields)
    {
        bool begun = false;
        foreach ((string name, object? value) in fields)
        {
            if (name == OriginalFormat)
            {
                continue;
            }

            if (!begun)
            {
                json.WriteStartObject("fields");
                begun = true;
            }

            switch (value)
            {
                case null:
                    json.WriteNull(name);
                    break;
                case bool flag:
                    json.WriteBoolean(name, flag);
                    break;
                case int or long or short or byte or uint:
                    json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case double number when double.IsFinite(number):
                    json.WriteNumber(name, number);
                    break;
                default:
                    json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }

        if (begun)
        {
            json.WriteEndObject();
        }
    }
}
