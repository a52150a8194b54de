// What a store may answer: so many bytes and so many levels of XML, read before the SDK parses any of it.
using System.Xml;
using Estat.Base.Threading;

namespace Estat.Base.Storage;

/// <summary>
/// Reads every answer whole, but for an object's content, which streams. An error that is too long or too deep keeps its status and loses its body;
/// any other answer that is, is a failure. The SDK's parser keeps the path of every element: 6 MB of nested elements cost it 1.6 GB.
/// </summary>
internal sealed class BoundedAnswers(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>The longest error. S3's have a few hundred bytes.</summary>
    internal const int LongestError = 64 * 1024;

    /// <summary>
    /// The longest answer that is no object's content. A page of a listing has 1,000 keys of 1 KB at most, DynamoDB's 1 MB of items.
    /// </summary>
    internal const int LongestAnswer = 8 * 1024 * 1024;

    /// <summary>The deepest XML. S3's has five levels.</summary>
    internal const int Deepest = 32;

    private const string LengthHeader = "Content-Length";
    private const string ListQuery = "list-type=";
    private const string ListRoot = "ListBucketResult";

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        try
        {
            if (request.Method == HttpMethod.Head)
            {
                return answer;
            }

            if (IsContent(request, answer))
            {
                // The SDK takes it for the content's MD5, which it need not be: an ETag that is no hash fails the GET, another hash fails its end.
                answer.Headers.Remove("ETag");
                return answer;
            }

            bool isError = !answer.IsSuccessStatusCode;
            byte[]? body = await ReadAsync(answer.Content, isError ? LongestError : LongestAnswer, cancellationToken).ConfigureAwait(false);
            (string? root, bool isTooDeep) = Look(body ?? []);
            body = isTooDeep ? null : body;
            if (!isError)
            {
                Check(request, answer, body, root);
            }

            answer.Content = Replace(answer.Content, body ?? []);
            return answer;
        }
        catch
        {
            answer.Dispose();
            throw;
        }
        finally
        {
            await PoolThread.Switch();
        }
    }

    // Only this one request of S3 has a body that is no S3 answer; everything that has more to its query is a question about a bucket or an object.
    private static bool IsContent(HttpRequestMessage request, HttpResponseMessage answer) =>
        request.Method == HttpMethod.Get && answer.IsSuccessStatusCode && request.RequestUri!.Query is "" or "?x-id=GetObject";

    private static void Check(HttpRequestMessage request, HttpResponseMessage answer, byte[]? body, string? root)
    {
        if (body is null)
        {
            throw new InvalidDataException(
                $"the answer {(int)answer.StatusCode} is longer than {LongestAnswer} bytes, or nested deeper than {Deepest} levels");
        }

        // The SDK takes any XML without keys, and an empty body, for a bucket that holds nothing.
        if (request.RequestUri!.Query.Contains(ListQuery, StringComparison.Ordinal) && root != ListRoot)
        {
            string type = answer.Content.Headers.ContentType?.ToString() ?? "of no type";
            throw new InvalidDataException(
                $"the answer {(int)answer.StatusCode} is not a list of objects ({type}). Find out what answers instead of the store, such as a proxy "
                + "or a login page");
        }
    }

    // Null when it is more than that.
    private static async Task<byte[]?> ReadAsync(HttpContent content, int longest, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > longest)
        {
            return null;
        }

        using Stream body = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var read = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        for (int count; (count = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            if (read.Length + count > longest)
            {
                return null;
            }

            read.Write(buffer, 0, count);
        }

        await PoolThread.Switch(); // before it is parsed
        return read.ToArray();
    }

    // By the reader and with the settings that the SDK parses with: what is no XML ends both at the same byte.
    private static (string? Root, bool IsTooDeep) Look(byte[] bytes)
    {
        string? root = null;
        if (bytes is [] or [(byte)'{', ..])
        {
            return (root, false); // DynamoDB's is JSON, whose parser has a bound of its own
        }

        using var text = new StreamReader(new MemoryStream(bytes, writable: false));
        using var reader = new XmlTextReader(text) { DtdProcessing = DtdProcessing.Ignore, WhitespaceHandling = WhitespaceHandling.None };
        try
        {
            while (reader.Read())
            {
                root ??= reader.NodeType == XmlNodeType.Element ? reader.LocalName : null;
                if (reader.Depth > Deepest)
                {
                    return (root, true);
                }
            }
        }
        catch (XmlException)
        {
            // The SDK says so itself.
        }

        return (root, false);
    }

    private static ByteArrayContent Replace(HttpContent old, byte[] body)
    {
        var content = new ByteArrayContent(body);
        foreach ((string name, System.Net.Http.Headers.HeaderStringValues values) in old.Headers.NonValidated)
        {
            if (!name.Equals(LengthHeader, StringComparison.OrdinalIgnoreCase))
            {
                content.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values);
            }
        }

        old.Dispose();
        return content;
    }
}
