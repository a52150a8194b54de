// One JSON object as one line.
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Estat.Cli.Frame;

/// <summary>For <c>--json</c>: text outside ASCII stays readable, controls are escaped.</summary>
internal static class JsonLine
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    internal static string Of(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Options))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
