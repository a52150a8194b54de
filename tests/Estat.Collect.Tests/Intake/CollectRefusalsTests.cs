// Every reason to take nothing has its own words and its own counter.
using Estat.Base.Acks;
using Estat.Collect.Intake;
using Estat.Collect.Options;
using Estat.Http.Answering;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Microsoft.AspNetCore.Http;

namespace Estat.Collect.Tests.Intake;

public sealed class CollectRefusalsTests
{
    [Fact]
    public async Task Each_refusal_is_a_503_that_says_why_when_to_come_back_and_is_counted_once()
    {
        var requests = new RequestCounters();
        var refusals = new CollectRefusals(new CollectOptions(), inflightBytes: 1 << 20, AckLevels.All, requests);
        var told = new HashSet<string>();
        foreach (Admission admission in Enum.GetValues<Admission>().Where(admission => admission != Admission.Accepted))
        {
            (int status, string retryAfter, string text) = await RefuseAsync(refusals, admission);
            Assert.Equal((StatusCodes.Status503ServiceUnavailable, "1"), (status, retryAfter));
            Assert.True(told.Add(text), $"{admission} says what another one says: {text}");
            Assert.Equal(1, CounterOf(requests, admission));
        }
    }

    [Theory]
    [InlineData(Admission.Unknown, "A silo failed while it took this, so nothing was acknowledged. The events may be stored, once.", true)]
    [InlineData(Admission.NoReplica, "The events may be stored, once.", true)]
    [InlineData(Admission.DiskFailed, "The events may be stored, once, or not.", true)]
    [InlineData(Admission.NoSilo, "Nothing was taken", false)]
    public async Task Refusals_say_whether_something_may_be_stored(Admission admission, string says, bool isUncertain)
    {
        (_, _, string text) = await RefuseAsync(
            new CollectRefusals(new CollectOptions(), inflightBytes: 1 << 20, AckLevels.All, new RequestCounters()),
            admission);
        Assert.Contains(says, text, StringComparison.Ordinal);
        Assert.Equal(isUncertain, text.Contains("\"urn:estat:problem:perhaps\"", StringComparison.Ordinal));
    }

    private static async Task<(int Status, string RetryAfter, string Text)> RefuseAsync(CollectRefusals refusals, Admission admission)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        await HttpAnswers.WriteAsync(context, refusals.Of(admission));
        Assert.Equal(Problem.ContentType, context.Response.ContentType);
        return (context.Response.StatusCode, context.Response.Headers.RetryAfter.ToString(), System.Text.Encoding.UTF8.GetString(body.ToArray()));
    }

    private static long CounterOf(RequestCounters requests, Admission admission) => admission switch
    {
        Admission.QueueFull => requests.QueueFull.Value,
        Admission.StorageFull => requests.StorageFull.Value,
        Admission.DiskFailed => requests.DiskFailed.Value,
        Admission.Draining => requests.Draining.Value,
        Admission.NoReplica => requests.NoReplica.Value,
        Admission.NoSilo => requests.NoSilo.Value,
        Admission.NoPrefix => requests.NoPrefix.Value,
        _ => requests.Unknown.Value,
    };
}
