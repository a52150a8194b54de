// A small store that speaks S3 and can be told to have habits that real ones have: ETags that are no hash, refusals of one kind of request.

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security;
using System.Security.Cryptography;
using System.Text;

namespace Estat.Testing;

/// <summary>What a <see cref="StoreStub"/> answers instead of what it would.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">The body.</param>
/// <param name="Type">Its Content-Type.</param>
public sealed record StubAnswer(int Status, string Body = "", string Type = "application/xml")
{
    /// <summary>An error as S3 writes it.</summary>
    public static StubAnswer Error(int status, string code) =>
        new(status, $"<Error><Code>{code}</Code><Message>as the test wants it</Message></Error>");
}

/// <summary>One bucket in memory: conditional creates, HEAD, GET, lists, DELETE. Any name of a bucket and any credentials will do.</summary>
public sealed class StoreStub : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentDictionary<string, Held> _objects = new(StringComparer.Ordinal);

    private StoreStub()
    {
        Endpoint = new Uri($"http://127.0.0.1:{FreePort.Next()}/");
        _listener.Prefixes.Add(Endpoint.AbsoluteUri);
        _listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Endpoint { get; }

    /// <summary>An object's ETag as it stands in a header; null: none is sent. MD5 in quotes unless told otherwise.</summary>
    public Func<byte[], string?> ETag { get; set; } = body => $"\"{Hex(body)}\"";

    /// <summary>Whether Content-MD5 is held against what came.</summary>
    public bool ChecksDigest { get; set; } = true;

    /// <summary>Whether it ignores If-None-Match.</summary>
    public bool Overwrites { get; set; }

    /// <summary>Answers in its place; null to leave a request to it.</summary>
    public Func<HttpListenerRequest, StubAnswer?> Instead { get; set; } = _ => null;

    /// <summary>Requests so far: method, path with query, and headers.</summary>
    public ConcurrentQueue<(string Method, string Path, WebHeaderCollection Headers)> Requests { get; } = new();

    /// <summary>Keys that it holds, in order.</summary>
    public string[] Keys => [.. _objects.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Starts one.</summary>
    public static StoreStub Start() => new();

    /// <summary>An object's bytes.</summary>
    public byte[] this[string key] => _objects[key].Body;

    public void Dispose() => _listener.Close();

#pragma warning disable CA5351 // what S3 has as ETag
    private static string Hex(byte[] body) => Convert.ToHexStringLower(MD5.HashData(body));
#pragma warning restore CA5351

    private static bool IsKept(string header) =>
        header.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase) || header.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase);

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.GetContextAsync());
            }
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed of with the test.
        }
    }

    private async Task ServeAsync(HttpListenerContext context)
    {
        try
        {
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            Requests.Enqueue((context.Request.HttpMethod, context.Request.RawUrl!, (WebHeaderCollection)context.Request.Headers));
            StubAnswer? instead = Instead(context.Request);
            await WriteAsync(context.Response, context.Request.HttpMethod, instead ?? Answer(context.Request, body.ToArray(), context.Response));
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException)
        {
            // The client left.
        }
    }

    private static async Task WriteAsync(HttpListenerResponse response, string method, StubAnswer? answer)
    {
        if (answer is not null)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(answer.Body);
            response.StatusCode = answer.Status;
            response.ContentType = answer.Type;
            response.ContentLength64 = bytes.Length;
            if (method != "HEAD")
            {
                await response.OutputStream.WriteAsync(bytes);
            }
        }

        response.Close();
    }

    // Null when the answer is written already.
    private StubAnswer? Answer(HttpListenerRequest request, byte[] body, HttpListenerResponse response)
    {
        string path = Uri.UnescapeDataString(request.Url!.AbsolutePath.TrimStart('/'));
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        string key = slash < 0 ? "" : path[(slash + 1)..];
        return (request.HttpMethod, key) switch
        {
            ("GET", "") => List(request),
            ("PUT", not "") => Put(request, key, body, response),
            ("GET" or "HEAD", _) => Get(request.HttpMethod, key, response),
            ("DELETE", _) => Delete(key),
            _ => StubAnswer.Error(501, "NotImplemented"),
        };
    }

    private StubAnswer? Put(HttpListenerRequest request, string key, byte[] body, HttpListenerResponse response)
    {
#pragma warning disable CA5351
        if (ChecksDigest && request.Headers["Content-MD5"] is { } md5 && md5 != Convert.ToBase64String(MD5.HashData(body)))
#pragma warning restore CA5351
        {
            return StubAnswer.Error(400, "BadDigest");
        }

        string[] kept = [.. request.Headers.AllKeys.OfType<string>().Where(IsKept)];
        var held = new Held(body, request.ContentType ?? "binary/octet-stream", [.. kept.Select(name => (name, request.Headers[name]!))]);
        if (Overwrites)
        {
            _objects[key] = held;
        }
        else if (!_objects.TryAdd(key, held))
        {
            return StubAnswer.Error(412, "PreconditionFailed");
        }

        response.ContentLength64 = 0;
        AddETag(response, body);
        return null;
    }

    private StubAnswer? Get(string method, string key, HttpListenerResponse response)
    {
        if (!_objects.TryGetValue(key, out Held? held))
        {
            return StubAnswer.Error(404, "NoSuchKey");
        }

        response.ContentType = held.Type;
        response.AddHeader("Last-Modified", DateTime.UtcNow.ToString("R", CultureInfo.InvariantCulture));
        AddETag(response, held.Body);
        foreach ((string name, string value) in held.Metadata)
        {
            response.AddHeader(name, value);
        }

        response.ContentLength64 = held.Body.Length;
        if (method == "GET")
        {
            response.OutputStream.Write(held.Body);
        }

        return null;
    }

    private StubAnswer Delete(string key)
    {
        _objects.TryRemove(key, out _);
        return new StubAnswer(204);
    }

    private StubAnswer List(HttpListenerRequest request)
    {
        string prefix = request.QueryString["prefix"] ?? "";
        string after = request.QueryString["start-after"] ?? "";
        IEnumerable<string> entries = Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0)
            .Select(key => $"<Contents><Key>{SecurityElement.Escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                + $"<Size>{_objects[key].Body.Length}</Size></Contents>");
        return new StubAnswer(
            200, $"<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>{string.Concat(entries)}</ListBucketResult>");
    }

    private void AddETag(HttpListenerResponse response, byte[] body)
    {
        if (ETag(body) is { } etag)
        {
            response.AddHeader("ETag", etag);
        }
    }

    private sealed record Held(byte[] Body, string Type, (string Name, string Value)[] Metadata);
}
