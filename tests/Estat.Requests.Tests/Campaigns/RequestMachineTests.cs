// Every step from every state: what is allowed, and that everything else comes to nothing.
namespace Estat.Requests.Tests.Campaigns;

public sealed class RequestMachineTests
{
    private const long Now = 1_000_000;
    private const int MostAttempts = 5;
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private static readonly Dictionary<string, Func<RequestRecord, RequestRecord?>> Steps = new()
    {
        ["decide: succeeded"] = request => RequestMachine.Decide(request, RequestState.Succeeded, null, Now),
        ["decide: rejected"] = request => RequestMachine.Decide(request, RequestState.Rejected, Reasons.Full, Now),
        ["decide: failed"] = request => RequestMachine.Decide(request, RequestState.FailedFinal, null, Now),
        ["begin"] = request => RequestMachine.Begin(request, Lease, Now),
        ["end: succeeded"] = request => End(request, new AttemptResult(RequestState.Succeeded)),
        ["end: again"] = request => End(request, new AttemptResult(RequestState.Queued, Failure: "503")),
        ["lose lease"] = request => RequestMachine.LoseLease(request, MostAttempts, Lease, Now),
        ["requeue"] = request => RequestMachine.Requeue(request, Now),
        ["withdraw"] = request => RequestMachine.Withdraw(request, Now),
        ["redrive"] = request => RequestMachine.Redrive(request, Now),
    };

    // From which states each step leads, and where to.
    private static readonly Dictionary<string, (RequestState From, RequestState To)[]> Allowed = new()
    {
        ["decide: succeeded"] = [(RequestState.Received, RequestState.Succeeded), (RequestState.Queued, RequestState.Succeeded)],
        ["decide: rejected"] = [(RequestState.Received, RequestState.Rejected), (RequestState.Queued, RequestState.Rejected)],
        ["decide: failed"] = [],
        ["begin"] = [(RequestState.Received, RequestState.Processing), (RequestState.Queued, RequestState.Processing)],
        ["end: succeeded"] = [(RequestState.Processing, RequestState.Succeeded)],
        ["end: again"] = [(RequestState.Processing, RequestState.Queued)],
        ["lose lease"] = [(RequestState.Processing, RequestState.Queued)],
        ["requeue"] = [(RequestState.Processing, RequestState.Queued)],
        ["withdraw"] = [(RequestState.Received, RequestState.Rejected), (RequestState.Queued, RequestState.Rejected)],
        ["redrive"] = [(RequestState.FailedFinal, RequestState.Queued)],
    };

    public static TheoryData<string> StepNames => [.. Steps.Keys];

    [Theory]
    [MemberData(nameof(StepNames))]
    public void A_step_leads_from_the_states_that_allow_it_and_from_no_other(string step)
    {
        foreach (RequestState state in RequestStates.All)
        {
            RequestRecord? next = Steps[step](In(state));
            RequestState? expected = Allowed[step].Where(way => way.From == state).Select(way => (RequestState?)way.To).SingleOrDefault();
            Assert.True(next?.State == expected, $"{step} from {state} led to {next?.State}, and not to {expected}");
        }
    }

    [Theory]
    [MemberData(nameof(StepNames))]
    public void The_same_step_again_changes_nothing_once_it_was_final(string step)
    {
        foreach (RequestState state in RequestStates.All)
        {
            if (Steps[step](In(state)) is { State: RequestState.Succeeded or RequestState.Rejected } final)
            {
                Assert.All(Steps.Values, again => Assert.Null(again(final)));
            }
        }
    }

    [Fact]
    public void An_attempt_with_an_old_fence_or_generation_ends_nothing()
    {
        RequestRecord first = RequestMachine.Begin(In(RequestState.Queued), Lease, Now)!;
        RequestRecord lost = RequestMachine.LoseLease(first with { Due = Now }, MostAttempts, TimeSpan.Zero, Now)!;
        RequestRecord second = RequestMachine.Begin(lost with { Due = 0 }, Lease, Now)!;
        var success = new AttemptResult(RequestState.Succeeded);

        Assert.True(second.Fence > first.Fence);
        Assert.Null(RequestMachine.EndAttempt(second, first.Generation, first.Fence, success, MostAttempts, Now));
        Assert.Null(RequestMachine.EndAttempt(second, second.Generation + 1, second.Fence, success, MostAttempts, Now));
        Assert.NotNull(RequestMachine.EndAttempt(second, second.Generation, second.Fence, success, MostAttempts, Now));
    }

    [Fact]
    public void As_many_failures_as_there_are_attempts_are_final_and_those_of_a_pause_do_not_count()
    {
        RequestRecord request = In(RequestState.Queued);
        for (int attempt = 1; attempt <= MostAttempts; attempt++)
        {
            request = RequestMachine.Begin(request with { Due = 0 }, Lease, Now)!;
            request = End(request, new AttemptResult(RequestState.Queued, Failure: "paused", IsCounted: false))!;
            Assert.Equal(attempt - 1, request.Attempts);
            request = RequestMachine.Begin(request with { Due = 0 }, Lease, Now)!;
            request = End(request, new AttemptResult(RequestState.Queued, Failure: "503"))!;
        }

        Assert.Equal((RequestState.FailedFinal, Reasons.AttemptsExhausted, MostAttempts), (request.State, request.Reason, request.Attempts));
        Assert.Equal("503", request.Failure);
    }

    [Fact]
    public void A_redrive_begins_a_generation_with_all_attempts_and_keeps_the_sequence()
    {
        RequestRecord redriven = RequestMachine.Redrive(In(RequestState.FailedFinal) with { Attempts = MostAttempts, Fence = 9 }, Now)!;

        Assert.Equal((2, 0, 7L), (redriven.Generation, redriven.Attempts, redriven.Sequence));
        Assert.Equal(9, redriven.Fence); // a late result of the old generation stays late
        Assert.Null(RequestMachine.Redrive(redriven, Now));
    }

    private static RequestRecord? End(RequestRecord request, AttemptResult result) =>
        RequestMachine.EndAttempt(request, request.Generation, request.Fence, result, MostAttempts, Now);

    private static RequestRecord In(RequestState state) =>
        new(new RequestId(Guid.NewGuid()), 1, 7, state, 1, 1, 0, new RequestTimes(1, 1, 0, 0)) { Due = state == RequestState.Processing ? Now : 0 };
}
