// GET /campaigns/{campaignId}, its draw and the draw's list: what everybody may see.
using Estat.Http.Answering;
using Estat.Http.Intake;
using Estat.Requests.Campaigns;
using Estat.Requests.Drawing;
using Estat.Requests.Intake;
using Estat.Requests.Storing;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Http;

/// <summary>Needs no user.</summary>
internal sealed class CampaignEndpoint(IRequestStore store, DrawLists lists, RequestJson json, RequestRefusals refusals)
{
    /// <summary>Shows a campaign.</summary>
    internal async Task ShowAsync(HttpContext context, string id) => await (await store.FindCampaignAsync(id).ConfigureAwait(false) is { } campaign
        ? TextAnswer.WriteAsync(context, "application/json", json.OfPublic(campaign))
        : HttpAnswers.WriteAsync(context, refusals.NoCampaign)).ConfigureAwait(false);

    /// <summary>Shows the proof of a draw.</summary>
    internal async Task ShowDrawAsync(HttpContext context, string id) => await (
        await store.FindCampaignAsync(id).ConfigureAwait(false) is not { } campaign ? HttpAnswers.WriteAsync(context, refusals.NoCampaign)
        : campaign.Settings.Policy != CampaignPolicy.Draw ? HttpAnswers.WriteAsync(context, refusals.NoDraw)
        : TextAnswer.WriteAsync(context, "application/json", RequestJson.OfDraw(campaign))).ConfigureAwait(false);

    /// <summary>Lists who took part, once it was drawn.</summary>
    internal async Task ListDrawAsync(HttpContext context, string id)
    {
        Campaign? campaign = await store.FindCampaignAsync(id).ConfigureAwait(false);
        if (campaign?.Draw is null)
        {
            await HttpAnswers.WriteAsync(context, campaign is null ? refusals.NoCampaign : refusals.NoDraw).ConfigureAwait(false);
            return;
        }

        const int Line = RequestId.TextLength + 1;
        const int Block = 200;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.ContentLength = campaign.Draw.Count * Line;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        IReadOnlyList<RequestId> ids = await lists.OfAsync(campaign, context.RequestAborted).ConfigureAwait(false);

        byte[] block = new byte[Block * Line];
        for (int i = 0; i < ids.Count; i += Block)
        {
            int count = Math.Min(Block, ids.Count - i);
            for (int j = 0; j < count; j++)
            {
                Lot.WriteLine(ids[i + j], block.AsSpan(j * Line, Line));
            }

            await AnswerBody.WriteAsync(context, block.AsMemory(0, count * Line), own: block.Length).ConfigureAwait(false);
        }
    }
}
