// The steps of an intake at a door of the test's own, which knows no server: what is taken, what is refused, and what is then told.
using System.Net;
using System.Text;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Collect.Batching;
using Estat.Collect.Events;
using Estat.Collect.Intake;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Tailing;
using Estat.Http.Access;
using Estat.Http.Bodies;
using Estat.Http.ClientAddress;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Http.Options;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Tests.Intake;

public sealed class EventIntakeTests : IDisposable
{
    private const string Shop = "https://shop.example";
    private static readonly Peer Proxy = Peer.Of(IPAddress.Loopback, new TrustedProxies(HttpOptions.DefaultTrustedProxies));

    private readonly ManualTimeProvider _time = new();
    private readonly RequestCounters _requests = new();
    private readonly EstatInstruments _instruments = new();
    private readonly Keeper _keeper = new();
    private WriteKeys? _keys;

    public void Dispose()
    {
        _keys?.Dispose();
        _instruments.Dispose();
    }

    [Fact]
    public async Task An_event_becomes_its_line_and_its_door_is_told_level_and_object()
    {
        EventIntake intake = NewIntake(new CollectOptions { CaptureCookie = true });
        var request = new View(new Sent
        {
            AckLevel = "stored", UserAgent = "agent \"1\"", IdempotencyKey = "id-1", Cookie = "a=1; estat_admin=secret", Forwarded = "203.0.113.7",
        });

        Assert.True(EventIntake.IsPlain(request));
        Told told = await TakeAsync(intake, request, "{\"a\":1}");

        Assert.Equal(
            """{"ts":1767323045,"ip":"203.0.113.7","user_agent":"agent \"1\"","cookie":"a=1","id":"id-1","body":"{\"a\":1}"}""" + "\n",
            Assert.Single(_keeper.Lines));
        Assert.Equal(AckLevel.Stored, _keeper.Level);
        Assert.Equal(new Acknowledgement("stored", "raw/dt=1", IsLess: false), told.Acknowledged);
        Assert.Null(told.Refused);
    }

    [Fact]
    public async Task A_request_that_reaches_less_than_it_asked_for_is_told_so()
    {
        _keeper.Answer = new Ack(Admission.Accepted, AckLevel.Disk, "raw/dt=1");
        Told told = await TakeAsync(NewIntake(), new View(new Sent { AckLevel = "stored" }), "event");
        Assert.Equal(new Acknowledgement("disk", "raw/dt=1", IsLess: true), told.Acknowledged);
    }

    [Fact]
    public async Task A_block_of_events_is_taken_whole_below_the_key_s_prefix()
    {
        EventIntake intake = NewIntake(keys: Key("shop") with { Prefix = "lake/shop" });
        var request = new View(new Sent { ApiKey = TextOf("shop") });
        Assert.Null(intake.Enter(request, isBatch: true, out Entry entry));
        using LineBlock block = intake.NewBlock(entry);
        intake.Add(request, block, "one"u8);
        intake.Add(request, block, "two"u8);
        Assert.Null(intake.Accept(request, entry, block, out Taken taken));
        var told = new Told();
        await intake.AnswerAsync(new Door(told), taken);

        Assert.Equal(["one", "two"], _keeper.Lines.SelectMany(lines => EventLines.Decode(Encoding.UTF8.GetBytes(lines))));
        Assert.Equal("lake/shop", _keeper.Prefix);
        Assert.NotNull(told.Acknowledged);
    }

    [Fact]
    public void A_request_is_counted_when_it_begins_and_when_it_ends()
    {
        EventIntake intake = NewIntake();
        intake.Begin();
        Assert.Equal(1, _requests.InFlight);
        intake.End();
        Assert.Equal(0, _requests.InFlight);
    }

    [Theory]
    [InlineData("no key", 401, "needs a write key")]
    [InlineData("wrong key", 401, "does not know this write key")]
    [InlineData("two keys", 401, "does not know this write key")]
    [InlineData("disabled key", 401, "is disabled")]
    [InlineData("expired key", 401, "has expired")]
    [InlineData("foreign page", 403, "pages of this origin")]
    [InlineData("used up quota", 429, "events today")]
    [InlineData("large event", 413, "MAX_BODY_SIZE")]
    [InlineData("large batch", 413, "MAX_BATCH_BODY_SIZE")]
    [InlineData("other transfer coding", 501, "Transfer-Encoding")]
    [InlineData("unknown level", 400, "X-Estat-Ack must be one of the levels that this node offers: memory, disk, stored.")]
    [InlineData("two levels", 400, "X-Estat-Ack")]
    [InlineData("level of a cluster", 400, "X-Estat-Ack")]
    public async Task A_head_that_is_refused_says_why_names_its_counter_and_nothing_is_kept(string what, int status, string says)
    {
        EventIntake intake = NewIntake(keys:
            [
                Key("good"), Key("disabled") with { Disabled = true }, Key("expired") with { Expires = _time.GetUtcNow() },
                Key("page") with { Origins = [Shop] }, Key("daily") with { DailyQuota = 1 },
            ]);
        if (what == "used up quota")
        {
            Assert.NotNull((await TakeAsync(intake, new View(new Sent { ApiKey = TextOf("daily") }), "event")).Acknowledged);
            _keeper.Lines.Clear();
        }

        var good = new Sent { ApiKey = TextOf("good") };
        Sent sent = what switch
        {
            "no key" => good with { ApiKey = default },
            "wrong key" => good with { ApiKey = TextOf("other") },
            "two keys" => good with { ApiKey = new StringValues([TextOf("good"), TextOf("good")]) },
            "disabled key" => good with { ApiKey = TextOf("disabled") },
            "expired key" => good with { ApiKey = TextOf("expired") },
            "foreign page" => good with { ApiKey = TextOf("page"), Origin = "https://other.example" },
            "used up quota" => good with { ApiKey = TextOf("daily") },
            "large event" => good with { ContentLength = new CollectOptions().MaxBodySize + 1 },
            "large batch" => good with { ContentLength = new CollectOptions().MaxBatchBodySize + 1L },
            "other transfer coding" => good with { ContentLength = null, TransferEncoding = "gzip, chunked" },
            "unknown level" => good with { AckLevel = "tape" },
            "two levels" => good with { AckLevel = new StringValues(["disk", "disk"]) },
            _ => good with { AckLevel = "replica" },
        };
        Refusal? refusal = intake.Enter(new View(sent), isBatch: what == "large batch", out _);
        AssertRefused(status, says, refusal);
        Assert.Equal(status == 401 ? "WWW-Authenticate" : null, refusal!.Problem.Header?.Name);
        Assert.Equal(what == "used up quota", refusal.RetryAfter.Count == 1);
    }

    [Fact]
    public void A_node_that_takes_nothing_says_so_before_it_looks_at_what_was_sent()
    {
        EventIntake intake = NewIntake();
        var wrong = new View(new Sent { AckLevel = "tape", ContentLength = long.MaxValue });
        foreach (Admission outlook in Enum.GetValues<Admission>().Where(admission => admission != Admission.Accepted))
        {
            _keeper.Outlook = outlook;
            Assert.Same(intake.Refusals.Of(outlook), intake.Enter(wrong, isBatch: false, out _));
        }
    }

    [Theory]
    [InlineData("empty", 400, "empty")]
    [InlineData("large", 413, "MAX_BODY_SIZE")]
    [InlineData("over rate", 429, "events a second than it may")]
    [InlineData("over the address's rate", 429, "client address has sent more")]
    public async Task A_body_that_is_refused_says_why_names_its_counter_and_is_not_kept(string what, int status, string says)
    {
        EventIntake intake = NewIntake(
            new CollectOptions { MaxBodySize = 8 }, what == "over the address's rate" ? 1 : null, Key("shop") with { Rate = 1, Burst = 1 });
        var request = new View(new Sent { ApiKey = TextOf("shop") });
        Assert.Null(intake.Enter(request, isBatch: false, out Entry entry));
        if (status == 429)
        {
            // All that there is room for; others entered meanwhile.
            Assert.Null(intake.Accept(request, entry, "event"u8, started: 0, out Taken taken));
            await intake.AnswerAsync(new Door(new Told()), taken);
            _time.Advance(TimeSpan.FromMilliseconds(100));
            _keeper.Lines.Clear();
        }

        byte[] body = what == "empty" ? [] : what == "large" ? new byte[9] : [1];
        Refusal? refusal = intake.Accept(request, entry, body, started: 0, out _);
        AssertRefused(status, says, refusal);
        Assert.Equal(status == 429 ? "1" : "", refusal!.RetryAfter.ToString());
    }

    [Fact]
    public void An_unknown_content_encoding_is_refused_with_those_that_are_known()
    {
        EventIntake intake = NewIntake();
        Refusal? refusal = intake.RefuseEncoding(new View(new Sent { ContentEncoding = "zstd" }), out _);
        AssertRefused(415, "gzip, br", refusal);
        Assert.Equal(("Accept-Encoding", "gzip, br"), refusal!.Problem.Header);
        Assert.Null(intake.RefuseEncoding(new View(new Sent { ContentEncoding = "gzip" }), out Coding coding));
        Assert.Equal(Coding.Gzip, coding);
    }

    [Theory]
    [InlineData("gzip", null, false)]
    [InlineData(null, "text/plain; charset=euc-kr", false)]
    [InlineData(null, "text/plain; charset=utf-8", true)]
    [InlineData(null, null, true)]
    public void A_body_is_plain_that_is_kept_as_it_is(string? encoding, string? type, bool isPlain) =>
        Assert.Equal(isPlain, EventIntake.IsPlain(new View(new Sent { ContentEncoding = encoding, ContentType = type })));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_not_acknowledged_takes_nothing_of_its_key_s_day(bool throws)
    {
        EventIntake intake = NewIntake(keys: Key("daily") with { DailyQuota = 1 });
        var request = new View(new Sent { ApiKey = TextOf("daily") });
        (_keeper.Answer, _keeper.Throws) = (new Ack(Admission.NoReplica, AckLevel.Memory, ""), throws);
        if (throws)
        {
            await Assert.ThrowsAsync<IOException>(() => TakeAsync(intake, request, "event"));
        }
        else
        {
            Assert.Same(intake.Refusals.Of(Admission.NoReplica), (await TakeAsync(intake, request, "event")).Refused);
        }

        (_keeper.Answer, _keeper.Throws) = (Keeper.Kept, false);
        Assert.NotNull((await TakeAsync(intake, request, "event")).Acknowledged);
        AssertRefused(429, "events today", intake.Enter(request, isBatch: false, out _), kept: null);
    }

    [Fact]
    public void A_key_s_origins_go_before_the_node_s()
    {
        EventIntake intake = NewIntake(keys: Key("page") with { Origins = [Shop] });
        var sent = new Sent { ApiKey = TextOf("page"), Origin = Shop };
        Assert.Equal(Shop, intake.PageOf(new View(sent)).Origin);
        Assert.Null(intake.Enter(new View(sent), isBatch: false, out Entry own));
        Assert.True(own.Page.IsToPage);
        Assert.Equal(Shop, own.Page.Origin);

        var foreign = new View(sent with { Origin = "https://other.example" });
        Assert.Equal("https://other.example", intake.PageOf(foreign).Origin); // CORS_ORIGINS is *
        Assert.NotNull(intake.Enter(foreign, isBatch: false, out Entry other));
        Assert.Equal("Origin", other.Page.Vary);
        Assert.Equal(0, other.Page.Origin.Count);

        Assert.False(intake.PageOf(new View(sent with { Origin = default })).IsToPage);
    }

    private static string TextOf(string key) => key.PadRight(KeyHash.ShortestKey, '-');

    private static WriteKey Key(string name) =>
        new() { Name = name, Hashes = [KeyHash.TryOf(TextOf(name), out KeyHash hash) ? hash : throw new ArgumentException(name)] };

    private static async Task<Told> TakeAsync(EventIntake intake, View request, string body)
    {
        var told = new Told { Refused = intake.Enter(request, isBatch: false, out Entry entry) };
        Assert.Null(told.Refused);
        Assert.Null(intake.Accept(request, entry, Encoding.UTF8.GetBytes(body), started: 0, out Taken taken));
        await intake.AnswerAsync(new Door(told), taken);
        return told;
    }

    private EventIntake NewIntake(CollectOptions? options = null, double? ipRate = null, params WriteKey[] keys)
    {
        options ??= new CollectOptions();
        var http = new HttpOptions { IpRate = ipRate, IpBurst = ipRate };
        _keys = keys.Length == 0 ? null : WriteKeys.Open(new WriteKeyOptions { Listed = keys }, _time, NullLogger.Instance);
        var access = WriteAccess.Of(http, _keys, isOpen: false, _requests, _time);
        var refusals = new CollectRefusals(options, http.InflightBytes, AckLevels.OfOneNode, _requests);
        return new EventIntake(
            new RequestGate(new Cors(http, access), access, _requests), new HeadRules(options, AckLevels.OfOneNode, _keeper, refusals), _keeper,
            new Envelope(options, _time), refusals, new AckTimer(_instruments, _time), new TailHub(_time, NullLogger<TailHub>.Instance));
    }

    private void AssertRefused(int status, string says, Refusal? refusal, int? kept = 0)
    {
        Assert.NotNull(refusal);
        Assert.Equal(status, refusal.Problem.Status);
        Assert.Contains(says, Encoding.UTF8.GetString(refusal.Problem.Body.Span), StringComparison.Ordinal);
        StripedCounter counter = status switch
        {
            401 => _requests.Unauthorized,
            403 => _requests.Forbidden,
            413 => _requests.TooLarge,
            429 => _requests.RateLimited,
            _ => _requests.Invalid,
        };
        Assert.Same(counter, refusal.Counter);
        Assert.Equal(0, counter.Value); // the door counts it
        Assert.Equal(kept ?? _keeper.Lines.Count, _keeper.Lines.Count);
    }

    private sealed record Sent
    {
        internal long? ContentLength { get; init; } = 5;

        internal StringValues TransferEncoding { get; init; }

        internal StringValues ContentType { get; init; }

        internal StringValues ContentEncoding { get; init; }

        internal StringValues ApiKey { get; init; }

        internal StringValues Origin { get; init; }

        internal StringValues AckLevel { get; init; }

        internal StringValues Cookie { get; init; }

        internal StringValues Forwarded { get; init; }

        internal string UserAgent { get; init; } = "";

        internal string IdempotencyKey { get; init; } = "";
    }

    private readonly struct View(Sent sent) : IRequestView
    {
        public Peer Peer => Proxy;

        public string? Query => null;

        public long? ContentLength => sent.ContentLength;

        public StringValues TransferEncoding => sent.TransferEncoding;

        public StringValues ContentType => sent.ContentType;

        public StringValues ContentEncoding => sent.ContentEncoding;

        public StringValues ApiKey => sent.ApiKey;

        public StringValues Authorization => default;

        public StringValues Origin => sent.Origin;

        public StringValues AckLevel => sent.AckLevel;

        public StringValues Cookie => sent.Cookie;

        public StringValues TraceParent => default;

        public StringValues TraceState => default;

        public StringValues ForwardedFor => sent.Forwarded;

        public StringValues ViewerAddress => default;

        public ReadOnlySpan<char> UserAgent => sent.UserAgent;

        public ReadOnlySpan<char> IdempotencyKey => sent.IdempotencyKey;
    }

    private sealed class Told
    {
        internal Acknowledgement? Acknowledged { get; set; }

        internal Refusal? Refused { get; set; }
    }

    private readonly struct Door(Told told) : IEventAnswer
    {
        public Task AcknowledgeAsync(Acknowledgement acknowledgement)
        {
            told.Acknowledged = acknowledgement;
            return Task.CompletedTask;
        }

        public Task RefuseAsync(Refusal refusal)
        {
            told.Refused = refusal;
            return Task.CompletedTask;
        }
    }

    // Encodes as a partition does, and answers as it is told.
    private sealed class Keeper : IIngest
    {
        internal static readonly Ack Kept = new(Admission.Accepted, Base.Acks.AckLevel.Stored, "raw/dt=1");
        private readonly ChunkPool _chunks = new();

        internal Admission Outlook { get; set; } = Admission.Accepted;

        internal Ack Answer { get; set; } = Kept;

        internal bool Throws { get; set; }

        internal List<string> Lines { get; } = [];

        internal AckLevel Level { get; private set; }

        internal string? Prefix { get; private set; }

        Admission IIngest.Outlook(AckLevel level, string? prefix) => Outlook;

        public ValueTask<Ack> AcceptAsync(in EventHeader header, ReadOnlySpan<byte> body, AckLevel level)
        {
            var line = new byte[LineEncoder.MaxLength(header, body.Length)];
            Keep(line.AsSpan(0, LineEncoder.Encode(header, body, line)), level, header.Prefix);
            return AnswerAsync();
        }

        public LineBlock NewBlock(string? prefix = null) => new(_chunks, batchSize: 100) { Prefix = prefix };

        public ValueTask<Ack> AcceptAsync(LineBlock block, AckLevel level)
        {
            foreach (Chunk chunk in block.Chunks)
            {
                Keep(chunk.Lines.Span, level, block.Prefix);
            }

            return AnswerAsync();
        }

        private void Keep(ReadOnlySpan<byte> lines, AckLevel level, string? prefix)
        {
            Lines.Add(Encoding.UTF8.GetString(lines));
            (Level, Prefix) = (level, prefix);
        }

        // Not at once: the door waits, as it does for a disk.
        private async ValueTask<Ack> AnswerAsync()
        {
            await Task.Yield();
            return Throws ? throw new IOException("broken") : Answer;
        }
    }
}
