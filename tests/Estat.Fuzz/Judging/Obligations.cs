// What was acknowledged, case by case, against what is stored.
using Estat.Fuzz.Wire;
using Estat.Testing;

namespace Estat.Fuzz.Judging;

/// <summary>Every acknowledgement is an obligation; every stored line has to answer for itself. Safe for concurrent use.</summary>
internal sealed class Obligations
{
    private readonly Lock _gate = new();
    private readonly Dictionary<int, Debt> _debts = [];
    private readonly Dictionary<int, Found> _found = [];
    private readonly HashSet<long> _canaries = [];
    private readonly List<long> _foundCanaries = [];
    private string? _harmed;

    /// <summary>Lines seen so far, canaries included.</summary>
    internal long Stored { get; private set; }

    /// <summary>Events acknowledged so far, canaries included.</summary>
    internal long Acknowledged { get; private set; }

    internal void Owe(FuzzCase fuzzCase, Verdict verdict)
    {
        lock (_gate)
        {
            _debts[fuzzCase.Number] = new Debt(verdict.Acknowledged, verdict.Bodies, verdict.IsExact, fuzzCase.MayNameClient);
            Acknowledged += verdict.Acknowledged;
        }
    }

    internal void OweCanary(long number)
    {
        lock (_gate)
        {
            _canaries.Add(number);
            Acknowledged++;
        }
    }

    internal void Find(StoredEvent stored)
    {
        lock (_gate)
        {
            Stored++;
            if (Canary.NumberOf(stored) is { } canary)
            {
                _foundCanaries.Add(canary);
                _harmed ??= Canary.IsUnharmed(stored, canary) ? null : stored.RawLine;
                return;
            }

            int number = CaseAddress.NumberOf(stored.Ip) ?? -1;
            Found found = _found.GetValueOrDefault(number);
            _found[number] = new Found(found.Events + 1, found.Bodies + Fingerprint.Of(stored.Body));
        }
    }

    /// <summary>Compares, once all is stored.</summary>
    /// <returns>The case at fault, if it is one's, and what is wrong; null: all is paid.</returns>
    internal (int? Case, string Fault)? Settle()
    {
        lock (_gate)
        {
            Audit canaries = Audit.Of(_canaries, _foundCanaries);
            if (!canaries.Clean || canaries.NeverAcknowledged.Count > 0 || _harmed is not null)
            {
                return (null, $"canaries: {canaries}{(_harmed is null ? "" : $"; harmed: {_harmed}")}");
            }

            long others = _found.GetValueOrDefault(-1).Events;
            long named = 0;
            bool namedIsExact = true;
            foreach ((int number, Debt debt) in _debts)
            {
                Found found = _found.GetValueOrDefault(number);
                if (debt.MayNameClient)
                {
                    named += debt.Acknowledged - found.Events;
                    namedIsExact &= debt.IsExact;
                    continue;
                }

                if (found.Events < debt.Acknowledged || (debt.IsExact && found.Events > debt.Acknowledged))
                {
                    return (number, $"{debt.Acknowledged} events acknowledged{(debt.IsExact ? "" : " (some answers were not seen)")}, {found.Events} "
                        + $"stored");
                }

                if (debt.IsExact && debt.Bodies is { } bodies && bodies != found.Bodies)
                {
                    return (number, "the number of stored events is right, what they say is not");
                }
            }

            // Lines under an address that a header gave cannot be told apart: they are counted together.
            return others < named || (namedIsExact && others > named)
                ? (null, $"under addresses that headers gave {others} events are stored, {named} were acknowledged") : null;
        }
    }

    private readonly record struct Debt(long Acknowledged, ulong? Bodies, bool IsExact, bool MayNameClient);

    private readonly record struct Found(long Events, ulong Bodies);
}
