// Who showed a wrong token, and how often: guessing is made slow, and the memory of it is bounded.
using System.Net;

namespace Estat.Http.Access;

/// <summary>
/// An address that failed <see cref="Most"/> times within <see cref="Window"/> is told to wait for as long. Many clients may share an address, behind
/// a proxy, so that somebody who guesses must not shut out the operator: what such an address shows is looked at all the same, at most
/// <see cref="MostLooks"/> times a second for all such addresses together. At most <see cref="MostAddresses"/> are remembered; past that, the oldest
/// is forgotten. Any thread.
/// </summary>
internal sealed class FailedAttempts(TimeProvider time)
{
    /// <summary>Failures that an address may have within a <see cref="Window"/>.</summary>
    internal const int Most = 10;

    /// <summary>Addresses that are remembered at once, some 100 bytes each.</summary>
    internal const int MostAddresses = 4096;

    /// <summary>How long failures are counted together, and how long an address is then told to wait.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Tokens a second that are compared for those who are told to wait. A token has 16 characters or more: at this rate nobody guesses a random one,
    /// and a word list of a million takes hours. An attacker who wants to keep the operator out has to send far more, without a pause; sessions go
    /// on.
    /// </summary>
    internal const int MostLooks = 50;

    private static readonly TimeSpan LooksWindow = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, Failures> _failures = [];

    private long _looksSince;
    private int _looks;

    /// <summary>Addresses that are remembered now.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _failures.Count;
            }
        }
    }

    /// <summary>Whether what an address shows that is told to wait may be compared.</summary>
    internal bool MayLook()
    {
        lock (_gate)
        {
            if (_looks == 0 || time.GetElapsedTime(_looksSince) >= LooksWindow)
            {
                _looksSince = time.GetTimestamp();
                _looks = 0;
            }

            _looks = Math.Min(_looks + 1, MostLooks + 1);
            return _looks <= MostLooks;
        }
    }

    /// <summary>How long this address is still told to wait; null: it is not.</summary>
    internal TimeSpan? BlockedFor(IPAddress address)
    {
        lock (_gate)
        {
            if (!_failures.TryGetValue(address, out Failures failures) || failures.Count < Most)
            {
                return null;
            }

            TimeSpan left = Left(failures);
            return left > TimeSpan.Zero ? left : null;
        }
    }

    /// <summary>It showed a wrong token.</summary>
    internal void Add(IPAddress address)
    {
        lock (_gate)
        {
            bool isKnown = _failures.TryGetValue(address, out Failures failures);
            if (!isKnown && _failures.Count >= MostAddresses)
            {
                Forget();
            }

            bool isNew = !isKnown || Left(failures) <= TimeSpan.Zero;
            int count = isNew ? 1 : failures.Count + 1;
            // It waits from the last failure on.
            _failures[address] = new Failures(count, isNew || count == Most ? time.GetTimestamp() : failures.Since);
        }
    }

    /// <summary>It showed the token: what went before were mistakes.</summary>
    internal void Forgive(IPAddress address)
    {
        lock (_gate)
        {
            _failures.Remove(address);
        }
    }

    private TimeSpan Left(Failures failures) => Window - time.GetElapsedTime(failures.Since);

    private void Forget()
    {
        foreach ((IPAddress address, Failures failures) in _failures)
        {
            if (Left(failures) <= TimeSpan.Zero)
            {
                _failures.Remove(address);
            }
        }

        if (_failures.Count >= MostAddresses)
        {
            _failures.Remove(_failures.MinBy(pair => pair.Value.Since).Key);
        }
    }

    private readonly record struct Failures(int Count, long Since);
}
