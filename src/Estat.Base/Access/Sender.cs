// A write key in use: what it may do, and what it has done.
using Estat.Base.Options;

namespace Estat.Base.Access;

/// <summary>Why a request was refused that knew a key, or none.</summary>
public enum KeyRefusal
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>No key was sent, and one is needed.</summary>
    Missing,

    /// <summary>What was sent is no key here.</summary>
    Wrong,

    /// <summary>The key is disabled.</summary>
    Disabled,

    /// <summary>The key has expired.</summary>
    Expired,

    /// <summary>The page's origin is not among the key's.</summary>
    Origin,

    /// <summary>More events than the key's rate and burst allow.</summary>
    Rate,

    /// <summary>More events than the key may send in a UTC day.</summary>
    Quota,
}

/// <summary>
/// One key as of one reading of the file; what it has done (<see cref="WriteKeyUsage"/>) goes on from one reading to the next, by its name. Any
/// thread; allocates nothing.
/// </summary>
public sealed class Sender
{
    private readonly WriteKey _key;
    private readonly WriteKeyUsage _record;
    private readonly EventRate? _rate;
    private readonly TimeProvider _time;
    private readonly PageOrigins? _origins;

    internal Sender(WriteKey key, WriteKeyUsage record, TimeProvider time)
    {
        _key = key;
        _record = record;
        _time = time;
        _rate = EventRate.Of(key, time.TimestampFrequency);
        _origins = key.Origins is null ? null : new PageOrigins(key.Origins);
    }

    /// <summary>What people and metrics call it.</summary>
    public string Name => _key.Name;

    /// <summary>Key prefix of the objects of its events; null is <c>RAW_PREFIX</c>.</summary>
    public string? Prefix => _key.Prefix;

    /// <summary>Whether it may read what is stored of topics.</summary>
    public bool MayRead => _key.Read;

    /// <summary>Whether it may send to and read any topic.</summary>
    public bool HasAnyTopic => _key.Topics is null;

    /// <summary>Whether pages of any origin may send with it.</summary>
    public bool HasAnyOrigin => _key.Origins is null;

    /// <summary>The key's settings.</summary>
    internal WriteKey Key => _key;

    internal WriteKeyUsage Record => _record;

    /// <summary>Whether pages of the origin may send with it.</summary>
    public bool Allows(string origin) => _origins?.Allows(origin) ?? true;

    /// <summary>Whether it may send to a topic, and, if <see cref="MayRead"/>, read it.</summary>
    public bool MayUse(string topic) => _key.Topics?.Contains(topic, StringComparer.Ordinal) ?? true;

    /// <summary>Whether the key holds now: <see cref="KeyRefusal.None"/>, <see cref="KeyRefusal.Disabled"/> or
    /// <see cref="KeyRefusal.Expired"/>.</summary>
    public KeyRefusal State() =>
        _key.Disabled ? KeyRefusal.Disabled
        : _key.Expires is { } end && _time.GetUtcNow() >= end ? KeyRefusal.Expired
        : KeyRefusal.None;

    /// <summary>Takes events out of rate and quota; all or none.</summary>
    /// <param name="events">How many; 0 only looks whether there is room for one.</param>
    /// <param name="charge">What was taken.</param>
    /// <param name="wait">When refused: after how long the same would be taken, if nobody else sends with the key.</param>
    public KeyRefusal Take(int events, out Charge charge, out TimeSpan wait)
    {
        charge = default;
        wait = TimeSpan.Zero;
        int day = 0;
        if (_key.DailyQuota is { } quota && _time.GetUtcNow() is var now && !_record.Quota.TryTake(quota, now, events, out day))
        {
            wait = DailyQuota.UntilNextDay(now);
            return KeyRefusal.Quota;
        }

        if (_rate is not null && _record.Take(_rate, _time.GetTimestamp(), events) is > 0 and var lack)
        {
            GiveBack(events, day);
            wait = TimeSpan.FromSeconds(lack / (double)_time.TimestampFrequency);
            return KeyRefusal.Rate;
        }

        charge = new Charge(this, events, day);
        return KeyRefusal.None;
    }

    /// <summary>Events that were taken were not acknowledged: the day's quota counts acknowledged ones. The rate counts attempts.</summary>
    internal void GiveBack(int events, int day)
    {
        if (_key.DailyQuota is not null)
        {
            _record.Quota.GiveBack(events, day);
        }
    }

    /// <summary>Events were acknowledged.</summary>
    internal void OnAcknowledged(int events) => _record.Counts.Events.Add(events);

    /// <summary>A request with this key was refused.</summary>
    public void OnRefused(KeyRefusal reason) => _record.Counts.OnRefused(reason);
}
