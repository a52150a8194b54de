// The upload succeeds and nobody hears of it: only the conditional create keeps the second attempt from being a second object.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class AnswerLost : StorageFault
{
    internal override string Name => "answer-lost";

    internal override string Summary => "S3 gets the whole upload, the server a reset instead of the answer; all or some of them";

    protected override Fault Next(Random random) => random.Next(2) == 0 ? Fault.DropResponse : Fault.DropResponse.ForNext(random.Next(1, 8));
}
