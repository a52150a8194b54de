// The reminders of a cluster's spools, as the pages of a silo reach them.
namespace Estat.Collect.Http;

/// <summary>Each spool that a silo ever had mounted has a reminder: its second chance, once a minute.</summary>
internal interface ISpoolReminders
{
    /// <summary>All of them, by the spool's id.</summary>
    /// <exception cref="Exception">The table of reminders does not answer; the message says why.</exception>
    Task<IReadOnlyList<RemindedSpool>> ListAsync();

    /// <summary>Removes the reminder of a spool that no silo has mounted.</summary>
    /// <exception cref="Exception">The cluster does not do it; the message says why.</exception>
    Task<ForgetEnd> ForgetAsync(string spool);
}

/// <summary>A spool with a reminder.</summary>
/// <param name="Spool">Its id, as in the file <c>identity</c> in its folder.</param>
/// <param name="Node">The silo that has it mounted; null when none has.</param>
internal sealed record RemindedSpool(string Spool, string? Node);

/// <summary>How an order to forget a spool ended.</summary>
internal enum ForgetEnd
{
    /// <summary>The reminder is gone.</summary>
    Forgotten,

    /// <summary>There was none.</summary>
    Missing,

    /// <summary>A silo has the spool; it would make the reminder again.</summary>
    Mounted,
}
