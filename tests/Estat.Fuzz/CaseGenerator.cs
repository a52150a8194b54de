// A case from its seed and number, and from nothing else.
using Estat.Fuzz.Grammar;

namespace Estat.Fuzz;

/// <summary>Puts requests together to connections and decides how each is sent.</summary>
internal static class CaseGenerator
{
    private const int LongestDripMilliseconds = 1500;

    internal static FuzzCase Make(ulong seed, int number)
    {
        Dice dice = Dice.Of(seed, number);
        int family = dice.Below(20);
        if (family == 0)
        {
            byte[] noise = Requests.Noise(dice);
            return new FuzzCase(number, "noise", noise, null, Deliver(dice, noise.Length, isPlanned: false));
        }

        (string name, List<PlannedRequest> plan) = family switch
        {
            1 or 2 => ("collect", [Requests.Collect(dice, isLast: true)]),
            3 => ("pixel", [Requests.Pixel(dice, isLast: true)]),
            4 or 5 or 6 => ("batch", [Requests.PlainBatch(dice, isLast: true)]),
            7 or 8 => ("coding", [Requests.Coded(dice, isLast: true)]),
            9 or 10 => ("framing", [Requests.BrokenFraming(dice, isLast: true)]),
            11 or 12 => ("headers", [Requests.HeaderGame(dice, isLast: true)]),
            13 or 14 => ("targets", [Requests.Oddity(dice, isLast: true)]),
            15 => ("HTTP/1.0", [Requests.Old(dice)]),
            _ => ("pipeline", Pipeline(dice)),
        };
        byte[] bytes = [.. plan.SelectMany(request => request.Bytes)];
        if (dice.OneIn(3) && !plan.Any(request => request.IsHead))
        {
            byte[] mutated = Mutator.Mutate(dice, bytes);
            return new FuzzCase(number, name + ", mutated", mutated, null, Deliver(dice, mutated.Length, isPlanned: false));
        }

        return new FuzzCase(number, name, bytes, plan, Deliver(dice, bytes.Length, isPlanned: plan[^1].Expects != Expectation.Anything));
    }

    private static List<PlannedRequest> Pipeline(Dice dice)
    {
        var plan = new List<PlannedRequest>();
        int count = dice.Size(dice.OneIn(20) ? 400 : 30);
        for (int i = 1; i <= count; i++)
        {
            bool isLast = i == count;
            plan.Add(dice.Below(count > 60 ? 6 : 12) switch
            {
                <= 3 => Requests.Collect(dice, isLast),
                4 => Requests.Oddity(dice, isLast),
                5 => Requests.Pixel(dice, isLast),
                6 or 7 => Requests.PlainBatch(dice, isLast),
                8 => Requests.Coded(dice, isLast),
                9 => Requests.HeaderGame(dice, isLast),
                10 when dice.OneIn(4) => Requests.BrokenFraming(dice, isLast),
                _ => Requests.Collect(dice, isLast),
            });
            if (plan[^1].Expects == Expectation.Anything)
            {
                break;
            }
        }

        return plan;
    }

    private static Delivery Deliver(Dice dice, int length, bool isPlanned)
    {
        Ending ending = dice.Below(100) switch
        {
            0 => Ending.Stall,
            <= 8 => Ending.Reset,
            <= 13 => Ending.Abandon,
            <= 18 => Ending.HalfClose,
            _ => isPlanned ? Ending.Whole : Ending.Quiet,
        };
        bool isCut = ending is Ending.Stall or Ending.Reset || (ending is Ending.HalfClose or Ending.Abandon && dice.OneIn(2));
        int end = isCut ? dice.Below(length) : length;
        int pause = 0;
        SortedSet<int> cuts = [];
        switch (dice.Below(10))
        {
            case 0 or 1:
                // In a few pieces, as networks cut.
                for (int i = dice.Size(12); i > 0; i--)
                {
                    cuts.Add(dice.Below(end));
                }

                break;
            case 2:
                // A drip: byte by byte from somewhere on.
                pause = dice.Of(0, 0, 1, 5, 20);
                int from = dice.Below(end);
                int drops = Math.Min(Math.Min(300, end - from), pause == 0 ? 300 : LongestDripMilliseconds / pause);
                for (int i = 0; i < drops; i++)
                {
                    cuts.Add(from + i);
                }

                break;
        }

        return new Delivery([.. cuts], pause, ending, end, dice.OneIn(30) ? 300 : 0);
    }
}
