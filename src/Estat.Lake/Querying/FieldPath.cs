// A field of the envelope, or a path into the body.
using System.Text;
using Estat.Lake.Lines;

namespace Estat.Lake.Querying;

/// <summary><c>ip</c>, <c>user_agent</c>, <c>id</c>, <c>cookie</c>, <c>ts</c>, <c>body</c>; or <c>$.a.b[0]</c> in a body that is JSON.</summary>
internal sealed class FieldPath
{
    private static readonly string[] Envelope = ["ts", "ip", "user_agent", "cookie", "id", "body"];
    private readonly byte[] _name;
    private readonly JsonPath? _path;

    private FieldPath(string text, JsonPath? path)
    {
        Text = text;
        _name = Encoding.UTF8.GetBytes(text);
        _path = path;
    }

    /// <summary>What it takes, for messages.</summary>
    internal const string Takes = "ts, ip, user_agent, cookie, id, body, or a path into the body such as $.page.path";

    /// <summary>As it was written.</summary>
    internal string Text { get; }

    /// <summary>Null when the text is none.</summary>
    internal static FieldPath? TryParse(string text) =>
        Envelope.Contains(text) ? new FieldPath(text, null) : JsonPath.TryParse(text) is { } path ? new FieldPath(text, path) : null;

    /// <summary>The value; null when the event has none.</summary>
    internal string? ValueOf(ReadOnlySpan<byte> line, StoredLine read) =>
        _path is not null ? _path.ValueIn(read.Body) : StoredLine.FieldOf(line, _name);
}
