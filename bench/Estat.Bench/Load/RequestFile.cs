// Complete requests, made once and read by every wrk: making them while measuring would cost more than a server takes for them.
using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Estat.Bench.Load;

/// <summary>A file of requests as bench/requests.lua reads it: before each one, its length as eight digits.</summary>
/// <param name="Path">The file.</param>
/// <param name="EventsPerRequest">Events in each.</param>
internal sealed record RequestFile(string Path, int EventsPerRequest)
{
    private const int BatchRequests = 64;
    private const long MostBytes = 32 * 1024 * 1024; // a round of requests is longer than what gzip looks back over, many times
    private const int MostRequests = 32_768;
    private const string UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120 Safari/537.36";

    /// <summary><c>POST /collect</c>: page views of about 500 bytes.</summary>
    internal static RequestFile PageViews(string folder) =>
        Write(folder, "collect", 1, EventBodies.PageViews(MostRequests).Select(body => Request("/collect", "application/json", "", body)));

    /// <summary><c>POST /collect</c> with bodies of so many bytes.</summary>
    internal static RequestFile OfSize(string folder, int bytes) =>
        Write(
            folder,
            string.Create(CultureInfo.InvariantCulture, $"collect-{bytes}"),
            1,
            EventBodies.OfSize(bytes, (int)Math.Min(MostRequests, MostBytes / bytes))
                .Select(body => Request("/collect", "application/json", "", body)));

    /// <summary><c>POST /collect/batch</c>: NDJSON of page views, compressed on request as a client would.</summary>
    internal static RequestFile Batches(string folder, int events, bool gzip) =>
        Write(
            folder,
            gzip ? "batch-gzip" : "batch",
            events,
            EventBodies.PageViews(BatchRequests * events).Chunk(events).Select(bodies => Request(
                "/collect/batch",
                "application/x-ndjson",
                gzip ? "Content-Encoding: gzip\r\n" : "",
                gzip ? Gzip(Lines(bodies)) : Lines(bodies))));

    /// <summary><c>POST</c> of JSON bodies to a path.</summary>
    internal static RequestFile Posts(string folder, string name, string path, int eventsPerRequest, IEnumerable<byte[]> bodies) =>
        Write(folder, name, eventsPerRequest, bodies.Select(body => Request(path, "application/json", "", body)));

    /// <summary>Requests without a body, as they are sent.</summary>
    internal static RequestFile Heads(string folder, string name, IEnumerable<string> heads) =>
        Write(folder, name, 1, heads.Select(Encoding.ASCII.GetBytes));

    private static RequestFile Write(string folder, string name, int eventsPerRequest, IEnumerable<byte[]> requests)
    {
        string path = System.IO.Path.Combine(folder, name + ".requests");
        using FileStream file = File.Create(path);
        foreach (byte[] request in requests)
        {
            file.Write(Encoding.ASCII.GetBytes(request.Length.ToString("00000000", CultureInfo.InvariantCulture)));
            file.Write(request);
        }

        return new RequestFile(path, eventsPerRequest);
    }

    private static byte[] Request(string path, string type, string headers, byte[] body)
    {
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {UserAgent}\r\nContent-Type: {type}\r\n{headers}Content-Length: "
                + $"{body.Length}\r\n\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    private static byte[] Lines(byte[][] bodies)
    {
        using var lines = new MemoryStream();
        foreach (byte[] body in bodies)
        {
            lines.Write(body);
            lines.WriteByte((byte)'\n');
        }

        return lines.ToArray();
    }

    private static byte[] Gzip(byte[] content)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return compressed.ToArray();
    }
}
