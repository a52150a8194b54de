// A request as an item.
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Aws.Items;

/// <summary>A request as the table has it.</summary>
/// <param name="Record">As the decider left it.</param>
/// <param name="WithdrawnAt">When its user took it back, which the decider has not written down yet; 0 without.</param>
/// <param name="Body">As it was sent; empty without, or where it was not read.</param>
internal sealed record StoredRequest(RequestRecord Record, long WithdrawnAt, ReadOnlyMemory<byte> Body)
{
    /// <summary>Bytes of its body in the table, read or not; 0: it has none.</summary>
    public int BodyLength { get; init; }

    /// <summary>As others see it: who has taken it back, has taken it back.</summary>
    internal RequestRecord Shown =>
        WithdrawnAt > 0 && RequestMachine.Withdraw(Record, WithdrawnAt) is { } withdrawn ? withdrawn : Record;
}

/// <summary>Reads and writes it.</summary>
internal static class RequestItem
{
    /// <summary>When its user took it back.</summary>
    internal const string Withdrawn = "wd";

    /// <summary>Its user.</summary>
    internal const string User = "u";

    /// <summary>Its body.</summary>
    internal const string Body = "b";

    /// <summary>How long its body is, for those who do not read it.</summary>
    internal const string BodyMark = "hb";

    /// <summary>All attributes but the body.</summary>
    internal const string WithoutBody = $"pk,sk,c,q,{State},{Generation},{Fence},a,tr,tq,tp,tf,du,re,rs,fl,{User},{Withdrawn},{BodyMark}";

    private const string State = "st";
    private const string Generation = "g";
    private const string Fence = "f";

    /// <summary>A request that is new.</summary>
    internal static Item New(RequestRecord request, ReadOnlyMemory<byte> body)
    {
        Item item = new Item(Keys.Request(request.Id))
            .With("c", request.CampaignOrdinal).With("q", request.Sequence).With(State, (int)request.State).With(Generation, request.Generation)
            .With(Fence, request.Fence).With("a", request.Attempts).With("tr", request.Times.Received).With("tq", request.Times.Queued)
            .With("tp", request.Times.Processing).With("tf", request.Times.Final).With("du", request.Due)
            .With(User, request.User!.Value.Bytes.ToArray()).With(Body, body);
        return body.IsEmpty ? item : item.With(BodyMark, body.Length);
    }

    /// <summary>Reads one.</summary>
    internal static StoredRequest Read(Item item) => new(
        new RequestRecord(
            RequestId.Parse(item.Key.Pk.AsSpan(2))!.Value, item.Int("c"), item.Long("q"), (RequestState)item.Int(State), item.Int(Generation),
            item.Int(Fence), item.Int("a"), new RequestTimes(item.Long("tr"), item.Long("tq"), item.Long("tp"), item.Long("tf")))
        {
            User = UserId.Of(item.Bytes(User)),
            Reason = item.Text("re"),
            Result = item.Text("rs"),
            Failure = item.Text("fl"),
            Due = item.Long("du"),
        },
        item.Long(Withdrawn), item.Bytes(Body))
    {
        BodyLength = item.Int(BodyMark),
    };

    /// <summary>A step, on the condition that the request is where the step begins.</summary>
    internal static Change Step(RequestRecord before, RequestRecord next) => Change.Update(Keys.Request(before.Id))
        .IfIs(State, (int)before.State).IfIs(Generation, before.Generation).IfIs(Fence, before.Fence)
        .Set(State, (int)next.State).Set(Generation, next.Generation).Set(Fence, next.Fence).Set("a", next.Attempts)
        .Set("tq", next.Times.Queued).Set("tp", next.Times.Processing).Set("tf", next.Times.Final).Set("du", next.Due)
        .Set("re", next.Reason).Set("rs", next.Result).Set("fl", next.Failure);

    /// <summary>A request is where it was.</summary>
    internal static Change Still(RequestRecord request) =>
        Change.Check(Keys.Request(request.Id)).IfIs(State, (int)request.State).IfIs(Generation, request.Generation);

    /// <summary>Nobody can say any more whose it is.</summary>
    internal static Change Erase(RequestId id) =>
        Change.Update(Keys.Request(id)).If($"attribute_exists({User})").Remove(User).Remove(Body).Remove(BodyMark);

    /// <summary>Its body goes, as it has been final for long.</summary>
    internal static Change DropBody(RequestRecord request) =>
        Change.Update(Keys.Request(request.Id)).IfIs(Generation, request.Generation).If($"attribute_exists({BodyMark})")
            .Remove(Body).Remove(BodyMark);

    /// <summary>Where a request must be that its user takes back.</summary>
    internal static Change Withdraw(RequestRecord request, long now) => Change.Update(Keys.Request(request.Id))
        .IfIs(State, (int)request.State).IfIs(Generation, request.Generation).IfIs(Fence, request.Fence).IfWithout(Withdrawn)
        .Set(Withdrawn, now);
}
