// Which requests are traced.
using System.Diagnostics;
using Estat.Base.Metrics;
using Estat.Http.Intake;
using Estat.Http.Options;
using Estat.Http.Tracing;
using Microsoft.AspNetCore.Http;

namespace Estat.Http.Tests.Tracing;

public sealed class TraceChoiceTests
{
    private static readonly HashSet<string> Paths = ["/collect", "/collect.gif", "/collect/batch"];
    private const string Traced = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private const string Untraced = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(TracesSampler.AlwaysOn, true, true, true)]
    [InlineData(TracesSampler.AlwaysOff, false, false, false)]
    [InlineData(TracesSampler.ParentBasedAlwaysOn, true, true, false)]
    [InlineData(TracesSampler.ParentBasedAlwaysOff, false, true, false)]
    [InlineData(TracesSampler.ParentBasedTraceIdRatio, false, true, false)]
    [InlineData(TracesSampler.TraceIdRatio, false, false, false)]
    public void Samplers_decide_as_OpenTelemetry_says(TracesSampler sampler, bool withoutTrace, bool traced, bool untraced)
    {
        var choice = new TraceChoice(sampler, ratio: 0, _time);

        Assert.Equal(withoutTrace, Takes(choice, null));
        if (sampler != TracesSampler.AlwaysOff) // where nothing is traced, nobody asks about requests
        {
            Assert.Equal(traced, Takes(choice, Traced));
            Assert.Equal(untraced, Takes(choice, Untraced));
        }
    }

    [Fact]
    public void A_ratio_takes_its_part_of_the_requests_without_a_trace()
    {
        var choice = new TraceChoice(TracesSampler.ParentBasedTraceIdRatio, ratio: 0.25, _time);

        int taken = Enumerable.Range(0, 100_000).Count(_ => Takes(choice, null));

        Assert.InRange(taken, 23_000, 27_000); // 15 standard deviations
    }

    [Fact]
    public void Clients_that_all_ask_to_be_traced_get_so_many_spans_a_second_and_no_more()
    {
        var choice = new TraceChoice(TracesSampler.ParentBasedTraceIdRatio, ratio: 0, _time);

        Assert.Equal(TraceChoice.MostByClientsPerSecond, Enumerable.Range(0, 1000).Count(_ => Takes(choice, Traced)));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TraceChoice.MostByClientsPerSecond, Enumerable.Range(0, 1000).Count(_ => Takes(choice, Traced)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00-00000000000000000000000000000000-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01")]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01")]
    [InlineData("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    [InlineData("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-and-more")]
    [InlineData("00-zzz92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
    public void A_traceparent_that_says_nothing_is_as_none(string text)
    {
        var choice = new TraceChoice(TracesSampler.ParentBasedAlwaysOn, ratio: 0, _time);

        Assert.True(choice.Takes(RequestWith(text), out ActivityContext parent));
        Assert.Equal(default, parent);
        Assert.False(Takes(new TraceChoice(TracesSampler.ParentBasedAlwaysOff, ratio: 0, _time), text));
    }

    [Fact]
    public void Without_a_receiver_nothing_stands_in_the_way_of_requests()
    {
        var receiver = new Uri("http://127.0.0.1:4318");

        Assert.Null(RequestTraces.Of(new NodeOptions(), Paths, _time));
        Assert.Null(RequestTraces.Of(new NodeOptions { TracesSampler = TracesSampler.AlwaysOff, OtlpEndpoint = receiver }, Paths, _time));
        Assert.NotNull(RequestTraces.Of(new NodeOptions { OtlpEndpoint = receiver }, Paths, _time));
    }

    [Fact]
    public async Task What_is_not_collecting_spends_nothing_of_what_clients_may_have_traced()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == EstatActivities.SourceName, Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
                ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(listener);
        int traced = 0;
        var options = new NodeOptions { TracesSampler = TracesSampler.ParentBasedAlwaysOff, OtlpEndpoint = new Uri("http://127.0.0.1:4318") };
        RequestDelegate traces = RequestTraces.Of(options, Paths, _time)!.Around(_ =>
        {
            traced += Activity.Current is null ? 0 : 1;
            return Task.CompletedTask;
        });
        await AskAsync("/health", TraceChoice.MostByClientsPerSecond);
        Assert.Equal(0, traced);
        await AskAsync("/collect", TraceChoice.MostByClientsPerSecond + 1);
        Assert.Equal(TraceChoice.MostByClientsPerSecond, traced);

        async Task AskAsync(string path, int times)
        {
            for (int i = 0; i < times; i++)
            {
                var context = new DefaultHttpContext { Request = { Method = "POST", Path = path } };
                context.Request.Headers.TraceParent = Traced;
                await traces(context);
            }
        }
    }

    private static bool Takes(TraceChoice choice, string? traceParent) => choice.Takes(RequestWith(traceParent), out _);

    private static HttpRequestView RequestWith(string? traceParent)
    {
        var context = new DefaultHttpContext();
        if (traceParent is not null)
        {
            context.Request.Headers.TraceParent = traceParent;
        }

        return new HttpRequestView(context);
    }
}
