// What a store may answer: read to a bound before the SDK parses it.
using System.Net;
using System.Text;
using Estat.Base.Storage;

namespace Estat.Base.Tests.Storage;

public sealed class BoundedAnswersTests
{
    private const string Bucket = "http://s3.test/bucket";
    private const string ListUrl = Bucket + "?list-type=2";
    private const string ObjectUrl = Bucket + "/raw/a";
    private const int Slack = 64 * 1024; // what one read may bring beyond

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("<a>")]
    [InlineData("x")]
    public async Task An_error_without_end_is_read_to_its_bound_and_keeps_its_status_alone(string repeated)
    {
        var endless = new Endless(repeated);
        using HttpResponseMessage answer = await AskAsync(HttpMethod.Put, ObjectUrl, HttpStatusCode.InternalServerError, endless);
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Token));
        Assert.InRange(endless.BytesRead, 1, BoundedAnswers.LongestError + Slack);
    }

    [Theory]
    [InlineData("GET", ListUrl)]
    [InlineData("PUT", ObjectUrl)]
    [InlineData("DELETE", ObjectUrl)]
    [InlineData("POST", "http://dynamodb.test/")]
    public async Task Any_other_answer_without_end_is_read_to_its_bound_and_is_a_failure(string method, string url)
    {
        var endless = new Endless("x");
        await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(new HttpMethod(method), url, HttpStatusCode.OK, endless));
        Assert.InRange(endless.BytesRead, 1, BoundedAnswers.LongestAnswer + Slack);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<?xml version='1.0'?>\n")]
    [InlineData("<!DOCTYPE ListBucketResult [<!ENTITY a 'b'>]>")]
    [InlineData(" \n")]
    public async Task XML_that_is_too_deep_never_reaches_the_parser(string before)
    {
        string deep = before + Nested(BoundedAnswers.Deepest + 2);
        using (HttpResponseMessage error = await AskAsync(HttpMethod.Put, ObjectUrl, HttpStatusCode.BadGateway, Text(deep)))
        {
            Assert.Empty(await error.Content.ReadAsByteArrayAsync(Token));
        }

        await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(HttpMethod.Get, ListUrl, HttpStatusCode.OK, Text(deep)));
        string sound = before + Nested(BoundedAnswers.Deepest);
        using HttpResponseMessage listing = await AskAsync(HttpMethod.Get, ListUrl, HttpStatusCode.OK, Text(sound));
        Assert.Equal(sound, await listing.Content.ReadAsStringAsync(Token));
        Assert.Equal(Encoding.UTF8.GetByteCount(sound), listing.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html><body>Please sign in</body></html>")]
    [InlineData("{}")]
    public async Task A_listing_that_is_none_does_not_mean_that_nothing_is_there(string body) =>
        await Assert.ThrowsAsync<InvalidDataException>(() => AskAsync(HttpMethod.Get, ListUrl, HttpStatusCode.OK, Text(body)));

    [Theory]
    [InlineData("")]
    [InlineData("?x-id=GetObject")]
    public async Task An_object_s_content_streams_and_its_ETag_is_nobody_s_to_check(string query)
    {
        var endless = new Endless("x");
        using HttpResponseMessage answer = await AskAsync(HttpMethod.Get, ObjectUrl + query, HttpStatusCode.OK, endless);
        Assert.Equal(0, endless.BytesRead);
        Assert.Null(answer.Headers.ETag);
        using HttpResponseMessage put = await AskAsync(HttpMethod.Put, ObjectUrl, HttpStatusCode.OK, Text(""));
        Assert.NotNull(put.Headers.ETag);
    }

    private static string Nested(int levels) =>
        $"<ListBucketResult>{string.Concat(Enumerable.Repeat("<a>", levels))}{string.Concat(Enumerable.Repeat("</a>", levels))}</ListBucketResult>";

    private static MemoryStream Text(string body) => new(Encoding.UTF8.GetBytes(body));

    private static async Task<HttpResponseMessage> AskAsync(HttpMethod method, string url, HttpStatusCode status, Stream body)
    {
        using var client = new HttpMessageInvoker(new BoundedAnswers(new Answering(status, body)));
        using var request = new HttpRequestMessage(method, url);
        return await client.SendAsync(request, Token);
    }

    private sealed class Answering(HttpStatusCode status, Stream body) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = new HttpResponseMessage(status) { Content = new StreamContent(body) };
            answer.Headers.ETag = new System.Net.Http.Headers.EntityTagHeaderValue("\"0x8DBF00D\"");
            return Task.FromResult(answer);
        }
    }

    private sealed class Endless(string repeated) : Stream
    {
        private readonly byte[] _bytes = Encoding.ASCII.GetBytes(repeated);

        internal long BytesRead { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => BytesRead;
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            for (int i = 0; i < count; i++)
            {
                buffer[offset + i] = _bytes[(int)((BytesRead + i) % _bytes.Length)];
            }

            BytesRead += count;
            return count;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
