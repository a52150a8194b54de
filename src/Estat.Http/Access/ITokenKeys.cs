// Where an issuer's keys come from.
namespace Estat.Http.Access;

/// <summary>Keeps the keys as new as it may. Any thread.</summary>
internal interface ITokenKeys : IAsyncDisposable
{
    /// <summary>The keys that hold now; null before the first.</summary>
    TokenKeySet? Current { get; }

    /// <summary>Whether they could not be had when they were last asked for.</summary>
    bool Fails { get; }

    /// <summary>Begins to look after them.</summary>
    void Start();

    /// <summary>
    /// A token names a key that is not there: asks for the keys again, unless that was done a moment ago.
    /// </summary>
    /// <returns>Null when <see cref="Current"/> is as new as may be; otherwise after how long they are asked for again.</returns>
    ValueTask<TimeSpan?> RenewAsync();
}
