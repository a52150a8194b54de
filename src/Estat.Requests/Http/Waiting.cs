// Prefer: wait=N, at every path that shows a request.
using System.Globalization;
using Estat.Requests.Campaigns;
using Estat.Requests.Intake;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Http;

/// <summary>Waits for a decision if the client asked for it, and says so.</summary>
internal static class Waiting
{
    /// <summary>The header that says that it did.</summary>
    internal const string Applied = "Preference-Applied";

    /// <summary>The request, decided if it was in time.</summary>
    internal static async ValueTask<RequestRecord> ForAsync(
        HttpContext context, DecisionWaiters waiters, RequestIntake intake, RequestRecord request)
    {
        TimeSpan patience = Preference.ReadWait(context.Request.Headers["Prefer"]);
        if (patience == TimeSpan.Zero)
        {
            return request;
        }

        if (!request.State.IsFinal()
            && !await waiters.WaitAsync(request.Id, patience, () => intake.FindAsync(request.Id), context.RequestAborted).ConfigureAwait(false))
        {
            return request;
        }

        context.RequestAborted.ThrowIfCancellationRequested();
        context.Response.Headers[Applied] = string.Create(CultureInfo.InvariantCulture, $"wait={patience.TotalSeconds:0}");
        return await intake.FindAsync(request.Id).ConfigureAwait(false) ?? request;
    }
}
