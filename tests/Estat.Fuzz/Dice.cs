// All chance of a case comes from here: the same seed and number give the same case on any machine and runtime.
namespace Estat.Fuzz;

/// <summary>SplitMix64 (Steele, Lea and Flood, 2014), which, unlike <see cref="Random"/>, no runtime will ever change.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The dice of one case of a run.</summary>
    internal static Dice Of(ulong seed, int number)
    {
        var run = new Dice(seed);
        return new Dice(run.Next() ^ (0x9E3779B97F4A7C15 * ((ulong)number + 1)));
    }

    internal ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 to <paramref name="end"/> - 1; 0 when there is nothing to choose from.</summary>
    internal int Below(int end) => end <= 1 ? 0 : (int)(Next() % (ulong)end);

    internal int Between(int least, int most) => least + Below(most - least + 1);

    /// <summary>True once in so many times.</summary>
    internal bool OneIn(int times) => Below(times) == 0;

    /// <summary>1 to <paramref name="most"/>; each order of magnitude is as likely as the next.</summary>
    internal int Size(int most)
    {
        int bits = Between(1, 32 - int.LeadingZeroCount(most));
        return Math.Clamp(Between(1 << (bits - 1), (int)Math.Min(int.MaxValue, (1L << bits) - 1)), 1, most);
    }

    internal T Of<T>(params ReadOnlySpan<T> choices) => choices[Below(choices.Length)];

    internal byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            bytes[i] = (byte)Next();
        }

        return bytes;
    }

    internal void Shuffle<T>(IList<T> list)
    {
        for (int i = list.Count - 1; i > 0; i--)
        {
            int other = Below(i + 1);
            (list[i], list[other]) = (list[other], list[i]);
        }
    }
}
