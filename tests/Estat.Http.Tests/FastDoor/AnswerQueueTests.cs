// Answers leave in the order of their requests, by one writer, and wait for a client that does not read.
using System.IO.Pipelines;
using System.Text;
using Estat.Base.Metrics;
using Estat.Base.Threading;
using Estat.Http.Answering;
using Estat.Http.FastDoor;
using Estat.Http.Intake;

namespace Estat.Http.Tests.FastDoor;

public sealed class AnswerQueueTests
{
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 4096, resumeWriterThreshold: 2048, useSynchronizationContext: false));
    private readonly AnswerQueue _queue;
    private readonly List<Exception> _faults = [];
    private int _closings;

    public AnswerQueueTests() => _queue = new AnswerQueue(
        new AnswerTexts(TimeProvider.System), _pipe.Writer, straight: null, seat: null, () => _closings++, _faults.Add);

    [Fact]
    public void Answers_wait_for_those_before_them()
    {
        Pending[] pending = [Add("a"), Add("b"), Add("c")];

        pending[2].Answer();
        pending[1].Answer();
        Assert.Equal("", Written());
        pending[0].Answer();

        Assert.Equal("abc", Written());
        Assert.True(_queue.DrainedAsync().IsCompleted);
        Assert.All(pending, one => Assert.Equal(1, one.Ended));
    }

    [Fact]
    public void What_is_known_at_once_is_written_by_the_reader_unless_others_wait()
    {
        Assert.True(_queue.TryOwn());
        _queue.Write(AnswerOf("a"), span: null);
        Assert.False(_queue.TryOwn());
        _queue.Flush();
        Pending pending = Add("b");

        Assert.False(_queue.TryOwn());
        _queue.Add(new KnownAnswer(AnswerOf("c")));
        Assert.Equal("a", Written());
        pending.Answer();

        Assert.Equal("bc", Written());
        Assert.True(_queue.TryOwn());
    }

    [Fact]
    public void A_bunch_of_answers_leaves_with_one_flush()
    {
        Pending[] pending = [Add("a"), Add("b"), Add("c")];

        AnswerBunch.Begin();
        pending[0].Answer();
        pending[1].Answer();
        Assert.Equal("", Written());
        AnswerBunch.End();
        Assert.Equal("ab", Written());

        AnswerBunch.Begin();
        pending[2].Answer();
        Assert.Equal("c", Written()); // nothing waits behind it: nobody is waited for
        AnswerBunch.End();
        Assert.Equal("", Written());
    }

    [Fact]
    public async Task A_client_that_does_not_read_stops_the_queue_and_not_who_answers()
    {
        int filling = 0;
        while (!_queue.IsStuck)
        {
            Add("x").Answer();
            filling++;
        }

        Pending late = Add("y");
        late.Answer();
        Task drained = _queue.DrainedAsync();
        Assert.False(drained.IsCompleted);

        string all = "";
        while (!drained.IsCompleted || all.Length <= filling)
        {
            all += Written();
            await Task.Yield();
        }

        Assert.Equal(new string('x', filling) + "y", all);
        Assert.False(_queue.IsStuck);
        Assert.Equal(1, late.Ended);
    }

    [Fact]
    public void Nothing_follows_an_answer_that_closes_and_every_request_ends()
    {
        Pending[] pending = [Add("a"), Add("b")];

        pending[0].Answer(closes: true);
        pending[1].Answer();

        Assert.True(_queue.Closes);
        Assert.Equal(1, _closings);
        Assert.Contains("Connection: close", Raw(), StringComparison.Ordinal);
        Assert.True(_queue.DrainedAsync().IsCompleted);
        Assert.All(pending, one => Assert.Equal(1, one.Ended));
    }

    [Fact]
    public void A_connection_that_is_gone_ends_all_that_waits()
    {
        Pending[] pending = [Add("a"), Add("b"), Add("c")];
        pending[0].Answer();
        _pipe.Reader.Complete();
        pending[1].Answer();
        _pipe.Writer.Complete();
        pending[2].Answer();

        Assert.True(_queue.DrainedAsync().IsCompleted);
        Assert.All(pending, one => Assert.Equal(1, one.Ended));
        Assert.Empty(_faults);
    }

    [Fact]
    public void A_fault_of_ours_is_told_once_and_ends_the_connection()
    {
        _pipe.Writer.Complete(); // nobody may do that while answers wait
        Pending[] pending = [Add("a"), Add("b")];
        pending[0].Answer();
        pending[1].Answer();

        Assert.Single(_faults);
        Assert.Equal(1, _closings);
        Assert.True(_queue.Closes);
        Assert.All(pending, one => Assert.Equal(1, one.Ended));
    }

    [Fact]
    public void There_is_room_for_so_many()
    {
        var pending = new List<Pending>();
        while (!_queue.IsFull)
        {
            pending.Add(Add("x"));
        }

        Assert.Equal(AnswerQueue.Most, pending.Count);
        pending[0].Answer();
        Assert.False(_queue.IsFull);
    }

    [Fact]
    public async Task Many_threads_answer_and_the_order_stays()
    {
        const int Rounds = 2_000;
        for (int round = 0; round < Rounds; round++)
        {
            Pending[] pending = [.. "abcdefgh".Select(name => Add(name.ToString()))];
            Parallel.ForEach(pending, new ParallelOptions { MaxDegreeOfParallelism = 4 }, one => one.Answer());
            await _queue.DrainedAsync();
            Assert.Equal("abcdefgh", Written());
        }
    }

    private static DoorAnswer AnswerOf(string name, bool closes = false) =>
        closes ? DoorAnswer.Refused(new Refusal(Problem.Final(413, "too large"), new StripedCounter()), default)
            : DoorAnswer.Acknowledged("memory", name, isLess: false, default);

    private Pending Add(string name)
    {
        var pending = new Pending(name);
        _queue.Add(pending);
        return pending;
    }

    // The keys of the answers that have come since the last call.
    private string Written() => string.Concat(Raw().Split("\r\n").Where(line => line.StartsWith("X-Estat-Key: ", StringComparison.Ordinal))
        .Select(line => line["X-Estat-Key: ".Length..]));

    private string Raw()
    {
        if (!_pipe.Reader.TryRead(out ReadResult read))
        {
            return "";
        }

        string text = Encoding.ASCII.GetString(read.Buffer);
        _pipe.Reader.AdvanceTo(read.Buffer.End);
        return text;
    }

    private sealed class Pending(string name) : PendingAnswer
    {
        internal int Ended { get; private set; }

        internal new void Answer(bool closes = false) => OnReady(AnswerOf(name, closes));

        protected override void Wait()
        {
        }

        protected override void OnEnded() => Ended++;
    }
}
